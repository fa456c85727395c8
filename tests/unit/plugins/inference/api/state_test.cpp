// Models, health, metrics, status.
#include "tests/unit/plugins/inference/api/test_server.hpp"

using namespace aictl;
using namespace aictl::inference;

TEST_CASE("models: the list, and one by a name with a slash, raw or encoded") {
  TestServer server;
  const Json list = tree(server.get("/v1/models").body);
  REQUIRE(list["data"].size() == 1);
  CHECK(list["data"][0]["id"] == "org/tiny");
  for (const char* path : {"/v1/models/org/tiny", "/v1/models/org%2Ftiny", "/v1/models/tiny"})
    CHECK(tree(server.get(path).body)["id"] == "org/tiny");
  const http::Response missing = server.get("/v1/models/other");
  CHECK(missing.status == 404);
  CHECK(tree(missing.body)["error"]["code"] == "model_not_found");
}

TEST_CASE("health: alive and ready") {
  TestServer server;
  for (const char* path : {"/livez", "/readyz", "/health", "/v1/health", "/ping"}) {
    const http::Response answer = server.get(path);
    CHECK(answer.status == 200);
    CHECK(tree(answer.body)["status"] == "ok");
  }
}

TEST_CASE("health: while a model loads the server is alive, and says 503 to all else") {
  TestSetup setup;
  setup.open = false;
  TestServer server(std::move(setup));
  CHECK(server.get("/livez").status == 200);
  CHECK(server.get("/ping").status == 200);
  for (const char* path : {"/readyz", "/health", "/v1/models", "/v1/models/x", "/metrics"}) {
    const http::Response answer = server.get(path);
    CHECK(answer.status == 503);
    CHECK(tree(answer.body)["error"]["type"] == "unavailable_error");
    CHECK(tree(answer.body)["error"]["code"] == "model_loading");
    CHECK(answer.headers.has("retry-after-ms"));
  }
  const http::Response asked = server.post("/v1/chat/completions", chat_body("hello", 5));
  CHECK(asked.status == 503);
  CHECK(tree(asked.body)["error"]["code"] == "model_loading");
  const Json status = tree(server.get("/v1/status").body);
  CHECK(status["state"] == "starting");
  CHECK(status["models"].empty());
}

TEST_CASE("status: state, models, queue and blocks") {
  TestServer server;
  const Json json = tree(server.get("/v1/status").body);
  CHECK(json["state"] == "ready");
  CHECK(json["models"][0]["id"] == "org/tiny");
  CHECK(json["kv"]["blocks"] == 64);
  CHECK(json["queue"]["depth"] == 0);
  server.api().begin_drain();
  CHECK(tree(server.get("/v1/status").body)["state"] == "draining");
}

TEST_CASE("metrics: the names that dashboards read, counting") {
  TestServer server;
  CHECK(server.post("/v1/chat/completions", chat_body("hello", 5)).status == 200);
  CHECK(server.get("/v1/models/one").status == 404);
  Json failing = chat_body("x");
  failing["n"] = 0;
  CHECK(server.post("/v1/chat/completions", failing).status == 400);
  const http::Response answer = server.get("/metrics");
  CHECK(answer.headers.get("content-type")->starts_with("text/plain"));
  const std::string text = "\n" + answer.body;
  const char* lines[] = {
      "vllm:num_requests_running{model_name=\"org/tiny\"} 0",
      "vllm:num_requests_waiting{model_name=\"org/tiny\"} 0",
      "vllm:generation_tokens_total{model_name=\"org/tiny\"} 5",
      "vllm:request_success_total{finished_reason=\"length\",model_name=\"org/tiny\"} 1",
      "vllm:time_to_first_token_seconds_count{model_name=\"org/tiny\"} 1",
      "vllm:e2e_request_latency_seconds_count{model_name=\"org/tiny\"} 1",
      "vllm:request_generation_tokens_sum{model_name=\"org/tiny\"} 5",
      "aictl_kv_blocks{model_name=\"org/tiny\"} 64",
      "aictl_request_seconds_count{route=\"/v1/chat/completions\",status=\"200\"} 1",
      "aictl_request_seconds_count{route=\"/v1/chat/completions\",status=\"400\"} 1",
      "aictl_request_seconds_count{route=\"/v1/models/{id...}\",status=\"404\"} 1"};
  for (const char* line : lines) {
    CAPTURE(line);
    CHECK(text.find(std::string("\n") + line + "\n") != std::string::npos);
  }
  for (const char* name :
       {"vllm:kv_cache_usage_perc", "vllm:prompt_tokens_total", "vllm:prefix_cache_queries",
        "vllm:prefix_cache_hits", "vllm:inter_token_latency_seconds",
        "vllm:request_queue_time_seconds", "vllm:request_prefill_time_seconds",
        "vllm:request_decode_time_seconds", "vllm:request_prompt_tokens", "aictl_kv_blocks_used"})
    CHECK(text.find(std::string("\n# TYPE ") + name + " ") != std::string::npos);
}
