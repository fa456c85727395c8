// Answers to completion requests: whole ones, and the chunks of a stream.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/openai/response/answer.hpp"

namespace aictl::openai {

struct CompletionChoice {
  std::string text;
  std::string finish_reason;
  Json logprobs;          // null when not asked for
  Json token_ids;         // null: left out
  Json prompt_token_ids;  // null: left out
};

struct CompletionAnswer {
  AnswerHead head;
  std::vector<CompletionChoice> choices;  // index = prompt * n + k
  Usage usage;
  Timings timings;
};

/// The `text_completion` object.
Json completion_json(const CompletionAnswer& answer);

/// Its chunks: text pieces, a finish for each choice, usage if asked for; then kDone.
class CompletionChunks {
 public:
  CompletionChunks(const AnswerHead& head, bool usage) : frame_("text_completion", head, usage) {}

  std::string text(int choice, std::string_view text, const ChunkExtras& extras = {}) const;
  std::string finish(int choice, std::string_view reason, const ChunkExtras& extras = {}) const;
  std::string usage(const Usage& usage) const { return frame_.usage(usage); }

 private:
  ChunkFrame frame_;
};

}  // namespace aictl::openai
