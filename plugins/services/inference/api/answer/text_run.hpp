// Chat and completion answers: tokens of every choice become text, sent as it comes or kept until
// all is there. A reader that falls behind stops being written to; its tokens wait in its
// Generation.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/http/sse.hpp"
#include "plugins/services/inference/api/answer/choice_text.hpp"
#include "plugins/services/inference/api/answer/engine_run.hpp"
#include "plugins/services/inference/api/answer/format.hpp"
#include "plugins/services/inference/api/inference_metrics.hpp"

namespace aictl::inference {

struct TextRunPlan {
  openai::GenerationFields fields;
  GenerateRequest request;                    // of every prompt, without its tokens
  std::vector<std::vector<int32_t>> prompts;  // at least one
  bool at_text_start = false;                 // the answer begins a text of its own
  ReplyOptions reply;                         // what its text is split into
  std::unique_ptr<AnswerFormat> format;
  std::chrono::milliseconds keep_alive{15'000};
};

class TextRun final : public EngineRun {
 public:
  /// Errors: stop strings that cannot be searched for.
  static Result<std::shared_ptr<TextRun>> make(http::Exchange exchange, const ServedModel& model,
                                               InferenceMetrics& metrics, TextRunPlan plan);

 private:
  struct Choice {
    ChoiceText text;
    WholeChoice whole;  // when not streaming
    std::optional<Finished> end;
    bool opened = false;  // its first chunk was sent
    bool closed = false;  // its last was
    Time last_token{};    // when its latest tokens were read; zero: none yet
  };

  TextRun(http::Exchange exchange, const ServedModel& model, InferenceMetrics& metrics,
          TextRunPlan plan);

  size_t jobs() const override { return plan_.prompts.size(); }
  Result<std::shared_ptr<Generation>> submit(size_t job, std::function<void()> wake) override;
  void on_accepted() override;
  bool read(size_t job, Generation& generation) override;
  void on_complete() override;
  void on_failure(const openai::ApiError& error) override;

  void collect(size_t job, Generation& generation);
  void push(size_t job, const TokenOut& token, Generation& generation);
  bool take_ends(size_t job, std::vector<std::optional<Finished>> ends);
  void open(Choice& choice, int index);
  void send_text(Choice& choice, int index);
  void send_part(Choice& choice, int index, const TextPart& part);
  void close(Choice& choice, int index);
  void observe_interval(Choice& choice, int tokens);
  openai::ChunkExtras extras_of(const TextPart& part) const;
  openai::Usage usage() const;
  std::string cache_header() const;
  openai::Timings timings() const;
  void send(const std::string& chunk);
  void write(std::string bytes);
  int index_of(size_t job, int choice) const {
    return static_cast<int>(job) * plan_.fields.n + choice;
  }

  TextRunPlan plan_;
  InferenceMetrics& metrics_;
  std::vector<Choice> choices_;
  std::vector<std::deque<TokenOut>> waiting_;  // by job: taken, not yet worked through
  http::Stream stream_;
  bool streaming_ = false;  // the head of the stream is out
  bool paused_ = false;     // the reader is behind
};

}  // namespace aictl::inference
