#include "plugins/services/inference/api/answer/embedding_run.hpp"

#include "core/openai/response/embeddings.hpp"

namespace aictl::inference {

Result<std::shared_ptr<Generation>> EmbeddingRun::submit(size_t job, std::function<void()> wake) {
  EmbedRequest request = plan_.engine_request;
  request.tokens = plan_.inputs[job];
  return model_.engine->embed(std::move(request), std::move(wake));
}

bool EmbeddingRun::read(size_t job, Generation& generation) {
  generation.take();  // nothing is in it; from here on an end wakes us again
  std::optional<Finished> end = generation.finished();
  if (!end) return false;
  if (const auto error = failure_of(*end)) return fail(*error), true;
  vectors_[job] = std::move(end->values);
  if (plan_.request.dimensions)
    openai::cut_embedding(vectors_[job], static_cast<size_t>(*plan_.request.dimensions));
  return true;
}

void EmbeddingRun::on_complete() {
  int64_t tokens = 0;
  for (const auto& input : plan_.inputs) tokens += static_cast<int64_t>(input.size());
  exchange_.respond(
      http::Response::json(200, dump_json(openai::embeddings_json(plan_.request.model, vectors_,
                                                                  plan_.request.base64, tokens))));
}

void EmbeddingRun::on_failure(const openai::ApiError& error) {
  metrics_.failed(model_.card.id);
  respond_error(exchange_, error, &model_);
}

}  // namespace aictl::inference
