// The flags of commands that generate text: how a model is run and how a token is chosen.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/config/schema.hpp"
#include "core/plugin/runtime.hpp"

namespace aictl {

struct GenerationFlags {
  EngineSettings engine;
  SamplingParams sampling;
  int64_t seed = -1;  // -1: a new one each time
  int max_tokens = 0;
  bool ignore_eos = false;
  std::vector<std::string> stop;
};

/// Rows bound to `flags`, under no section: they are asked of one answer, not of an installation.
std::vector<Row> generation_rows(GenerationFlags& flags);

/// The request for `prompt`, with a seed drawn when none was given.
GenerateRequest generate_request(const GenerationFlags& flags, std::vector<int32_t> prompt);

/// An answer as -o json shows it: its tokens, its text, why it ended, the prompt's tokens.
Json answer_tree(const Answer& answer);

}  // namespace aictl
