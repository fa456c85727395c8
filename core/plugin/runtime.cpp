#include "core/plugin/runtime.hpp"

#include <fmt/format.h>

#include "core/plugin/plugins.hpp"

namespace aictl {

std::vector<Row> engine_rows(EngineSettings& s) {
  std::vector<Row> rows;
  rows.push_back(
      Row("backend", &s.backend, "device to compute on, see `aictl plugin list --kind backend`"));
  rows.push_back(
      Row("threads", &s.threads, "threads that compute; auto or 0: one a core that we may use")
          .range(0, 1024)
          .spelled("auto", 0));
  rows.push_back(
      Row("context", &s.context,
          "tokens a sequence may have, prompt and answer; 0: what model and memory allow")
          .range(0, 1 << 24));
  rows.push_back(
      Row("concurrency", &s.concurrency, "sequences computed at once; 0: 16").range(0, 1024));
  rows.push_back(Row("kv-memory", &s.kv_memory,
                     "memory for the KV cache, such as 4Gi; 0: part of what is free"));
  rows.push_back(Row("step-tokens", &s.step_tokens,
                     "tokens computed in a step: the size of a prefill chunk; 0: 256")
                     .range(0, 8192));
  rows.push_back(
      Row("max-queue", &s.max_queue, "requests that may wait before new ones are refused")
          .range(1, 1'000'000));
  rows.push_back(Row("prefix-cache", &s.prefix_cache,
                     "reuse the computed beginning that a prompt shares with earlier ones"));
  rows.push_back(Row("token-latency", &s.token_latency,
                     "time between two tokens of an answer that prompts computed beside it should "
                     "keep to, by smaller chunks; 0: no limit"));
  rows.push_back(Row("speculate", &s.speculate,
                     "guess tokens ahead and check them together, where that is faster: the same "
                     "answers, sooner; ngram guesses what followed the same words before",
                     {{"off", Speculation::kOff}, {"ngram", Speculation::kNgram}}));
  return rows;
}

Result<std::filesystem::path> resolve_model(const Plugins& plugins, std::string_view reference) {
  for (const auto& row : plugins.sources.rows()) {
    auto found = row.make()->resolve(reference);
    if (!found) return std::move(found).error();
    if (*found) return std::move(**found);
  }
  return Error{ErrorCode::kNotFound, fmt::format("no model '{}'", reference),
               "name a .gguf file, or a model in one of the folders of $AICTL_MODELS"};
}

}  // namespace aictl
