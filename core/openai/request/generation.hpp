// The fields that chat and completion requests share: how tokens are chosen, when they end, how
// they are sent.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/openai/request/reader.hpp"
#include "core/openai/sampling.hpp"

namespace aictl::openai {

struct GenerationFields {
  std::string model;
  SamplingParams sampling;        // its seed is set when `seeded`
  bool seeded = false;            // false: the server draws a seed and says which
  std::optional<int> max_tokens;  // absent: the rest of the window
  int min_tokens = 0;
  int n = 1;
  std::vector<std::string> stop;  // at most 4, none empty
  std::vector<int32_t> stop_token_ids;
  std::vector<std::string> bad_words;
  bool include_stop = false;  // the stop string that ended it is part of the text
  bool ignore_eos = false;
  bool skip_special_tokens = true;  // special tokens have no text
  bool return_token_ids = false;
  std::string cache_salt;  // prefixes are shared with requests of the same salt alone
  bool cache_prompt = true;
  int priority = 0;                       // -10..10 as sent: lower values go first
  std::optional<int> keep_prompt_tokens;  // truncate_prompt_tokens: the last so many; -1: what fits
  bool stream = false;
  bool include_usage = false;
};

/// Reads them all but `logprobs`, whose type differs between the endpoints.
void read_generation(Reader& reader, GenerationFields& out);

}  // namespace aictl::openai
