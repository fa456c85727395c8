#include "plugins/services/inference/api/answer/format.hpp"

#include "core/openai/response/chat.hpp"
#include "core/openai/response/completions.hpp"

namespace aictl::inference {
namespace {

using openai::ChunkExtras;

// The text of all content: a completion has nothing else.
std::string content_of(const std::vector<ReplyPiece>& pieces) {
  std::string text;
  for (const ReplyPiece& piece : pieces)
    if (piece.kind == ReplyPiece::Kind::kContent) text += piece.text;
  return text;
}

class ChatFormat final : public AnswerFormat {
 public:
  ChatFormat(const openai::AnswerHead& head, bool usage, ChatShape shape)
      : head_(head), chunks_(head, usage), shape_(std::move(shape)) {}

  std::string opening(int choice, const ChunkExtras& extras) const override {
    return chunks_.role(choice, extras);
  }
  std::string piece(int choice, const ReplyPiece& piece, const ChunkExtras& extras) const override {
    switch (piece.kind) {
      case ReplyPiece::Kind::kReasoning:
        return chunks_.reasoning(choice, piece.text, extras);
      case ReplyPiece::Kind::kCall:
        return chunks_.call(choice, piece.call, call_id(choice, piece.call), piece.text, extras);
      case ReplyPiece::Kind::kArguments:
        return chunks_.arguments(choice, piece.call, piece.text, extras);
      case ReplyPiece::Kind::kContent:
        break;
    }
    return chunks_.content(choice, piece.text, extras);
  }
  std::string finish(int choice, std::string_view reason,
                     const ChunkExtras& extras) const override {
    return chunks_.finish(choice, reason, extras);
  }
  std::string usage(const openai::Usage& usage) const override { return chunks_.usage(usage); }

  Json logprobs(std::span<const openai::TokenScores> scores, size_t) const override {
    return openai::chat_logprobs(scores);
  }

  Json whole(std::vector<WholeChoice> choices, const WholeExtras& extras) const override {
    openai::ChatAnswer answer;
    answer.head = head_;
    answer.usage = extras.usage;
    answer.timings = extras.timings;
    answer.metadata = shape_.metadata;
    if (extras.ids) answer.prompt_token_ids = extras.prompt_ids.at(0);
    for (WholeChoice& choice : choices)
      answer.choices.push_back(message(static_cast<int>(answer.choices.size()), choice, extras));
    return openai::chat_json(answer);
  }

 private:
  openai::ChatChoice message(int index, WholeChoice& choice, const WholeExtras& extras) const {
    openai::ChatChoice out;
    out.content = content_of(choice.pieces);
    out.finish_reason = std::move(choice.finish_reason);
    if (shape_.with_logprobs) out.logprobs = logprobs(choice.scores, 0);
    if (extras.ids) out.token_ids = Json(choice.ids);
    for (const ReplyPiece& piece : choice.pieces) {
      if (piece.kind == ReplyPiece::Kind::kReasoning) out.reasoning += piece.text;
      if (piece.kind == ReplyPiece::Kind::kCall)
        out.tool_calls.push_back({call_id(index, piece.call), piece.text, ""});
      if (piece.kind == ReplyPiece::Kind::kArguments) out.tool_calls.back().arguments += piece.text;
    }
    return out;
  }

  // The same for a choice's call however often it is asked for.
  std::string call_id(int choice, int call) const {
    const uint64_t place = static_cast<uint64_t>(choice) << 32 | static_cast<uint32_t>(call);
    const std::string letters = openai::make_id("", mixed(shape_.call_seed ^ place), place);
    return shape_.short_call_ids ? letters.substr(0, 9) : "call_" + letters;
  }

  static uint64_t mixed(uint64_t z) {  // splitmix64
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
  }

  openai::AnswerHead head_;
  openai::ChatChunks chunks_;
  ChatShape shape_;
};

class CompletionFormat final : public AnswerFormat {
 public:
  CompletionFormat(const openai::AnswerHead& head, bool usage, int logprobs, int n,
                   std::vector<std::string> echoes)
      : head_(head), chunks_(head, usage), logprobs_(logprobs), n_(n), echoes_(std::move(echoes)) {}

  std::string opening(int choice, const ChunkExtras& extras) const override {
    const std::string_view echo = echo_of(choice);
    if (echo.empty() && extras.prompt_token_ids.empty()) return {};
    return chunks_.text(choice, echo, extras);
  }
  std::string piece(int choice, const ReplyPiece& piece, const ChunkExtras& extras) const override {
    return chunks_.text(choice, piece.text, extras);
  }
  std::string finish(int choice, std::string_view reason,
                     const ChunkExtras& extras) const override {
    return chunks_.finish(choice, reason, extras);
  }
  std::string usage(const openai::Usage& usage) const override { return chunks_.usage(usage); }

  Json logprobs(std::span<const openai::TokenScores> scores, size_t offset) const override {
    return openai::completion_logprobs(scores, offset, logprobs_);
  }

  Json whole(std::vector<WholeChoice> choices, const WholeExtras& extras) const override {
    openai::CompletionAnswer answer;
    answer.head = head_;
    answer.usage = extras.usage;
    answer.timings = extras.timings;
    for (size_t i = 0; i < choices.size(); ++i) {
      WholeChoice& choice = choices[i];
      const size_t prompt = i / static_cast<size_t>(n_);
      answer.choices.push_back(
          {std::string(echo_of(static_cast<int>(i))) + content_of(choice.pieces),
           std::move(choice.finish_reason), logprobs_ >= 0 ? logprobs(choice.scores, 0) : Json(),
           extras.ids ? Json(choice.ids) : Json(),
           extras.ids ? Json(extras.prompt_ids.at(prompt)) : Json()});
    }
    return openai::completion_json(answer);
  }

 private:
  std::string_view echo_of(int choice) const {
    return echoes_.empty() ? std::string_view() : echoes_.at(static_cast<size_t>(choice / n_));
  }

  openai::AnswerHead head_;
  openai::CompletionChunks chunks_;
  int logprobs_;
  int n_;
  std::vector<std::string> echoes_;
};

}  // namespace

std::unique_ptr<AnswerFormat> chat_format(const openai::AnswerHead& head, bool usage,
                                          ChatShape shape) {
  return std::make_unique<ChatFormat>(head, usage, std::move(shape));
}

std::unique_ptr<AnswerFormat> completion_format(const openai::AnswerHead& head, bool usage,
                                                int logprobs, int n,
                                                std::vector<std::string> echoes) {
  return std::make_unique<CompletionFormat>(head, usage, logprobs, n, std::move(echoes));
}

}  // namespace aictl::inference
