#include "plugins/services/inference/api/answer/format.hpp"

#include "core/openai/response/chat.hpp"
#include "core/openai/response/completions.hpp"

namespace aictl::inference {
namespace {

using openai::ChunkExtras;

class ChatFormat final : public AnswerFormat {
 public:
  ChatFormat(const openai::AnswerHead& head, bool usage, bool with_logprobs, Json metadata)
      : head_(head),
        chunks_(head, usage),
        with_logprobs_(with_logprobs),
        metadata_(std::move(metadata)) {}

  std::string opening(int choice, const ChunkExtras& extras) const override {
    return chunks_.role(choice, extras);
  }
  std::string text(int choice, std::string_view text, const ChunkExtras& extras) const override {
    return chunks_.content(choice, text, extras);
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
    answer.metadata = metadata_;
    if (extras.ids) answer.prompt_token_ids = extras.prompt_ids.at(0);
    for (WholeChoice& choice : choices)
      answer.choices.push_back({std::move(choice.text), std::move(choice.finish_reason),
                                with_logprobs_ ? logprobs(choice.scores, 0) : Json(),
                                extras.ids ? Json(choice.ids) : Json()});
    return openai::chat_json(answer);
  }

 private:
  openai::AnswerHead head_;
  openai::ChatChunks chunks_;
  bool with_logprobs_;
  Json metadata_;
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
  std::string text(int choice, std::string_view text, const ChunkExtras& extras) const override {
    return chunks_.text(choice, text, extras);
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
      answer.choices.push_back({std::string(echo_of(static_cast<int>(i))) + choice.text,
                                std::move(choice.finish_reason),
                                logprobs_ >= 0 ? logprobs(choice.scores, 0) : Json(),
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
                                          bool with_logprobs, Json metadata) {
  return std::make_unique<ChatFormat>(head, usage, with_logprobs, std::move(metadata));
}

std::unique_ptr<AnswerFormat> completion_format(const openai::AnswerHead& head, bool usage,
                                                int logprobs, int n,
                                                std::vector<std::string> echoes) {
  return std::make_unique<CompletionFormat>(head, usage, logprobs, n, std::move(echoes));
}

}  // namespace aictl::inference
