// An embedding answer: every input through the engine, their vectors together in one response.
#pragma once

#include <memory>
#include <vector>

#include "core/openai/request/text.hpp"
#include "plugins/services/inference/api/answer/engine_run.hpp"
#include "plugins/services/inference/api/inference_metrics.hpp"

namespace aictl::inference {

struct EmbeddingPlan {
  openai::EmbeddingsRequest request;
  std::vector<std::vector<int32_t>> inputs;
  EmbedRequest engine_request;  // of every input, without its tokens
};

class EmbeddingRun final : public EngineRun {
 public:
  EmbeddingRun(http::Exchange exchange, const ServedModel& model, InferenceMetrics& metrics,
               EmbeddingPlan plan)
      : EngineRun(std::move(exchange), model),
        plan_(std::move(plan)),
        metrics_(metrics),
        vectors_(plan_.inputs.size()) {}

 private:
  size_t jobs() const override { return plan_.inputs.size(); }
  Result<std::shared_ptr<Generation>> submit(size_t job, std::function<void()> wake) override;
  bool read(size_t job, Generation& generation) override;
  void on_complete() override;
  void on_failure(const openai::ApiError& error) override;

  EmbeddingPlan plan_;
  InferenceMetrics& metrics_;
  std::vector<std::vector<float>> vectors_;  // by input
};

}  // namespace aictl::inference
