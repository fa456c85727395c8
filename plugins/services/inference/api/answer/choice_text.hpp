// One choice's tokens -> its parts: detokenised, searched for stop strings, split into thinking,
// answer and tool calls, with the log-probabilities and ids of the tokens they were made of. Lives
// on the connection's loop.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/openai/request/generation.hpp"
#include "core/openai/response/logprobs.hpp"
#include "core/plugin/generation.hpp"
#include "plugins/services/inference/text/detokenizer.hpp"
#include "plugins/services/inference/text/reply/reply_parser.hpp"
#include "plugins/services/inference/text/stop_matcher.hpp"

namespace aictl::inference {

/// What came out since the last take(): parts that are certain to stay, and their tokens.
struct TextPart {
  std::vector<ReplyPiece> pieces;
  std::vector<openai::TokenScores> scores;  // when log-probabilities were asked for
  std::vector<int32_t> ids;                 // when token ids were asked for
  size_t offset = 0;                        // characters of token text before the first score
  bool empty() const { return pieces.empty() && scores.empty() && ids.empty(); }
};

class ChoiceText {
 public:
  /// Errors: stop strings the matcher refuses.
  static Result<ChoiceText> make(const Tokenizer& tokenizer, const openai::GenerationFields& fields,
                                 bool at_text_start, const ReplyOptions& reply);

  /// Takes a token; false once a stop string, or the one call that was wanted, has ended the text,
  /// after which tokens are ignored.
  bool push(const TokenOut& token);
  /// The engine ended it with `stop_token` (or -1): what was held back comes out.
  void finish(int32_t stop_token);

  /// What can be sent now. Scores and ids wait for the text they belong to, unless it has ended.
  TextPart take();

  bool ended() const { return ended_; }
  int tokens() const { return tokens_; }
  int reasoning_tokens() const { return reasoning_tokens_; }
  /// Tool calls that began.
  int calls() const { return reply_.calls(); }

 private:
  ChoiceText(const Tokenizer& tokenizer, const openai::GenerationFields& fields, StopMatcher stops,
             bool at_text_start, const ReplyOptions& reply);
  void add_score(const TokenOut& token);
  void detokenize(int32_t id, std::string& fresh);

  const Tokenizer* tokenizer_;
  const openai::GenerationFields* fields_;  // of the request, which outlives this
  Detokenizer detokenizer_;
  StopMatcher stops_;
  ReplyFormat marks_;  // which control tokens are text, for they are marks
  ReplyParser reply_;
  TextPart part_;
  size_t scored_characters_ = 0;
  int tokens_ = 0;
  int reasoning_tokens_ = 0;  // from its opening mark to its closing one
  bool ended_ = false;
};

}  // namespace aictl::inference
