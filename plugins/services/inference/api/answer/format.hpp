// How an answer looks: as chat or as completion, whole or in chunks.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/openai/response/answer.hpp"
#include "core/openai/response/logprobs.hpp"
#include "core/value/json.hpp"
#include "plugins/services/inference/text/reply/reply_parser.hpp"

namespace aictl::inference {

/// A finished choice.
struct WholeChoice {
  std::vector<ReplyPiece> pieces;
  std::string finish_reason;
  std::vector<openai::TokenScores> scores;
  std::vector<int32_t> ids;
};

/// What a whole answer carries beside its choices.
struct WholeExtras {
  bool ids = false;                              // token ids were asked for
  std::vector<std::vector<int32_t>> prompt_ids;  // by prompt, when token ids were asked for
  openai::Usage usage;
  openai::Timings timings;
};

class AnswerFormat {
 public:
  virtual ~AnswerFormat() = default;
  /// A choice's first chunk; empty when there is none.
  virtual std::string opening(int choice, const openai::ChunkExtras& extras) const = 0;
  virtual std::string piece(int choice, const ReplyPiece& piece,
                            const openai::ChunkExtras& extras) const = 0;
  virtual std::string finish(int choice, std::string_view reason,
                             const openai::ChunkExtras& extras) const = 0;
  virtual std::string usage(const openai::Usage& usage) const = 0;
  virtual Json logprobs(std::span<const openai::TokenScores> scores, size_t offset) const = 0;
  virtual Json whole(std::vector<WholeChoice> choices, const WholeExtras& extras) const = 0;
};

/// What is particular to a chat answer.
struct ChatShape {
  bool with_logprobs = false;   // they were asked for
  Json metadata;                // given back in the whole answer unless null
  uint64_t call_seed = 0;       // the ids of tool calls are made of it
  bool short_call_ids = false;  // of nine letters and digits, which some templates insist on
};

std::unique_ptr<AnswerFormat> chat_format(const openai::AnswerHead& head, bool usage,
                                          ChatShape shape);

/// `echoes`: for each prompt what comes before its texts, empty for nothing; `n` choices a prompt.
std::unique_ptr<AnswerFormat> completion_format(const openai::AnswerHead& head, bool usage,
                                                int logprobs, int n,
                                                std::vector<std::string> echoes);

}  // namespace aictl::inference
