// The HTTP face of the inference service: OpenAI's models, chat, completions and embeddings, the
// tokenizer endpoints, health and metrics. Handlers translate; the engine does the work.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.hpp"
#include "core/http/router.hpp"
#include "core/http/server.hpp"
#include "plugins/services/inference/api/access/keys.hpp"
#include "plugins/services/inference/api/inference_metrics.hpp"
#include "plugins/services/inference/api/prompt.hpp"
#include "plugins/services/inference/api/served.hpp"
#include "plugins/services/inference/api/worker_pool.hpp"

namespace aictl::inference {

struct ApiOptions {
  ApiKeys keys;         // none: everybody may ask
  CorsPolicy cors;      // none: no web page may
  bool strict = false;  // unknown request fields are refused
  std::string version = "0";
  int workers = 2;                // threads for long requests
  size_t inline_bytes = 8 << 10;  // bodies up to this are worked on by the loop itself
  size_t waiting_bodies = 256;    // long requests that may wait for a worker
  std::chrono::milliseconds keep_alive{15'000};  // silence after which a stream gets a comment
  uint64_t random_seed = 0;                      // of ids and seeds; 0: the system's randomness
  const Clock* clock = nullptr;                  // outlives the api; nullptr: the real one
};

/// Outlives the server it is the handler of; the engines it is opened with outlive both.
class InferenceApi {
 public:
  explicit InferenceApi(ApiOptions options);

  /// From now on ready: before, it is alive, and everything else gets 503 `model_loading`. Once, by
  /// any thread.
  void open(Served served);

  /// The server's handler. Runs on loop threads, several at once.
  void handle(http::Exchange exchange);
  /// For ServerOptions::render_error: OpenAI's error object.
  static http::Response render_error(int status, std::string_view message,
                                     const http::Request& request);
  /// Makes the server ask here before it reads a body, and leave decoding to the api, which does it
  /// on its workers under the server's limit. Before the server starts.
  void take_bodies(http::ServerOptions& options);
  /// For ServerOptions::on_access: counts, and logs at debug.
  void on_access(const http::Access& access);

  /// From now on not ready, and new work gets 503 `draining`; what runs goes on.
  void begin_drain() { draining_.store(true, std::memory_order_relaxed); }
  bool draining() const { return draining_.load(std::memory_order_relaxed); }

 private:
  /// A request that passed the gate.
  struct Asked {
    http::Exchange exchange;
    std::string tenant;  // which key, "" without keys
  };
  struct TextAsk;
  using BodyHandler = void (InferenceApi::*)(Asked asked, const Json& body);

  // api.cpp
  static openai::ApiError loading();
  std::optional<openai::ApiError> refusal(const http::Request& request) const;
  std::optional<http::Response> judge(const http::Request& request) const;
  void add_routes();
  void add_post(std::string_view path, BodyHandler handler);
  void read_body(Asked asked, BodyHandler handler);
  void parse_and_call(const Asked& asked, std::string_view body, BodyHandler handler);
  void decode_and_call(const Asked& asked, std::string_view coding, http::Body& body,
                       BodyHandler handler);
  uint64_t random();
  int64_t now() const { return clock_->unix_seconds(); }

  // handlers/generate.cpp
  void chat(Asked asked, const Json& body);
  void completions(Asked asked, const Json& body);
  void embeddings(Asked asked, const Json& body);
  void generate(Asked& asked, const ServedModel& model, TextAsk ask);
  std::string announce(Asked& asked, const ServedModel& model, std::string_view prefix);
  void choose_seed(Asked& asked, GenerateRequest& request, bool seeded);

  // handlers/tokens.cpp
  void tokenize(Asked asked, const Json& body);
  void detokenize(Asked asked, const Json& body);
  void apply_template(Asked asked, const Json& body);

  // handlers/state.cpp
  void add_state_routes();
  void ready(http::Exchange exchange) const;
  void list_models(http::Exchange exchange) const;
  void show_model(http::Exchange exchange, std::string_view id) const;
  void status(http::Exchange exchange) const;

  Served served_;  // this and metrics_: written by open(), read by who has seen is_open_
  const ApiOptions options_;
  const Clock real_clock_;
  const Clock* clock_;
  const int64_t started_;  // Unix seconds
  std::optional<InferenceMetrics> metrics_;
  http::Router router_;
  size_t body_limit_ = http::ParserLimits().body_bytes;  // of a body that is decoded
  std::atomic<uint64_t> random_state_;
  std::atomic<bool> is_open_{false}, draining_{false};
  WorkerPool workers_;  // last: its tasks use all of the above
};

}  // namespace aictl::inference
