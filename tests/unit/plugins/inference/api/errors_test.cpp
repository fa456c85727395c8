// Refusals: each with its status, type, code and the field at fault.
#include "tests/unit/plugins/inference/api/test_server.hpp"

using namespace aictl;
using namespace aictl::inference;

namespace {

struct Wanted {
  int status;
  const char* type;
  const char* code;
  Json param;
};

void check_error(const http::Response& answer, const Wanted& wanted) {
  CAPTURE(answer.body);
  CHECK(answer.status == wanted.status);
  const Json error = tree(answer.body)["error"];
  CHECK(error["type"] == wanted.type);
  CHECK(error["code"] == wanted.code);
  CHECK(error["param"] == wanted.param);
  CHECK_FALSE(error["message"].get<std::string>().empty());
  CHECK(answer.headers.has("x-request-id"));
}

constexpr const char* kInvalid = "invalid_request_error";

}  // namespace

TEST_CASE("errors: a field out of range is named") {
  TestServer server;
  Json body = chat_body("x");
  body["temperature"] = 3;
  check_error(server.post("/v1/chat/completions", body),
              {400, kInvalid, "invalid_value", "temperature"});
  body = chat_body("x");
  body["dry_base"] = 0.5;
  check_error(server.post("/v1/chat/completions", body),
              {400, kInvalid, "invalid_value", "dry_base"});
  body = chat_body("x");
  body["n"] = 129;
  check_error(server.post("/v1/chat/completions", body), {400, kInvalid, "invalid_value", "n"});
  body = chat_body("x");
  body["response_format"] = {{"type", "json_object"}};
  check_error(server.post("/v1/chat/completions", body),
              {400, kInvalid, "unsupported_value", "response_format"});
}

TEST_CASE("errors: an unknown model is 404 with the nearest name") {
  TestServer server;
  Json body = chat_body("x");
  body["model"] = "tinny";
  const http::Response answer = server.post("/v1/chat/completions", body);
  check_error(answer, {404, kInvalid, "model_not_found", "model"});
  CHECK(answer.body.find("'tiny'") != std::string::npos);
}

TEST_CASE("errors: what is not JSON, too deep, or of another type") {
  TestServer server;
  const std::string deep = "{\"model\":" + std::string(1000, '[') + std::string(1000, ']') + "}";
  for (const std::string& text : {std::string("{"), std::string(""), std::string("\xFF"), deep})
    check_error(server.post_text("/v1/chat/completions", text),
                {400, kInvalid, "invalid_value", nullptr});
  check_error(server.post_text("/v1/chat/completions", "{}", {}, "text/plain"),
              {415, kInvalid, "unsupported_media_type", nullptr});
}

TEST_CASE("errors: an object of too many keys is told by its name, not as bad JSON") {
  TestServer server;
  std::string bias;
  for (int i = 0; i < 5000; ++i) bias += (i ? ",\"" : "\"") + std::to_string(i) + "\":1";
  const http::Response answer = server.post_text(
      "/v1/completions", "{\"model\":\"tiny\",\"prompt\":\"x\",\"logit_bias\":{" + bias + "}}");
  check_error(answer, {400, kInvalid, "invalid_value", nullptr});
  CHECK(tree(answer.body)["error"]["message"] == "the body's logit_bias has more than 4096 keys");
}

TEST_CASE("errors: unknown paths and methods") {
  TestServer server;
  check_error(server.get("/v1/nothing"), {404, kInvalid, "unknown_url", nullptr});
  const http::Response wrong = server.get("/v1/chat/completions");
  check_error(wrong, {405, kInvalid, "method_not_allowed", nullptr});
  CHECK(wrong.headers.has("allow"));
}

TEST_CASE("errors: a body over the limit is 413") {
  TestSetup setup;
  setup.server.parser.body_bytes = 1000;
  TestServer server(std::move(setup));
  const http::Response answer =
      server.post("/v1/completions", completion_body(std::string(2000, 'x')));
  CHECK(answer.status == 413);
  CHECK(tree(answer.body)["error"]["code"] == "payload_too_large");
}

TEST_CASE("errors: a prompt over the window is refused with both numbers, never cut") {
  TestSetup setup;
  setup.engine.max_context = 64;
  TestServer server(std::move(setup));
  const std::string text =
      "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789";
  const http::Response answer = server.post("/v1/chat/completions", chat_body(text + text));
  check_error(answer, {400, kInvalid, "context_length_exceeded", "messages"});
  CHECK(answer.body.find("64") != std::string::npos);
  check_error(server.post("/v1/completions", completion_body(text + text)),
              {400, kInvalid, "context_length_exceeded", "prompt"});
  check_error(server.post("/v1/embeddings", {{"model", "tiny"}, {"input", text + text}}),
              {400, kInvalid, "context_length_exceeded", "input"});
}

TEST_CASE("errors: a ten megabyte prompt is answered, and the server lives on") {
  TestServer server;
  const http::Response answer =
      server.post("/v1/completions", completion_body(std::string(10 << 20, 'a')));
  check_error(answer, {400, kInvalid, "context_length_exceeded", "prompt"});
  CHECK(server.get("/readyz").status == 200);
}

TEST_CASE("errors: tokens outside the vocabulary are named") {
  TestServer server;
  Json body = completion_body("");
  body["prompt"] = {1, 999999};
  check_error(server.post("/v1/completions", body), {400, kInvalid, "invalid_value", "prompt"});
  body = completion_body("x");
  body["logit_bias"] = {{"999999", 1}};
  check_error(server.post("/v1/completions", body), {400, kInvalid, "invalid_value", "logit_bias"});
  body = completion_body("x");
  body["bad_words"] = {"several tokens here"};
  check_error(server.post("/v1/completions", body),
              {400, kInvalid, "unsupported_value", "bad_words"});
}

TEST_CASE("errors: a model without a template cannot chat, but completes") {
  TestSetup setup;
  setup.with_template = false;
  TestServer server(std::move(setup));
  const http::Response answer = server.post("/v1/chat/completions", chat_body("x"));
  check_error(answer, {501, "not_supported_error", "not_supported", nullptr});
  CHECK(answer.headers.get("x-should-retry") == "false");
  CHECK(server.post("/v1/completions", completion_body("x")).status == 200);
}

TEST_CASE("errors: template arguments may not replace what the template is given") {
  TestServer server;
  Json body = chat_body("x");
  body["chat_template_kwargs"] = {{"bos_token", "<|im_end|>"}};
  check_error(server.post("/v1/chat/completions", body),
              {400, kInvalid, "invalid_value", "chat_template_kwargs"});
}

TEST_CASE("errors: more choices than may ever wait are refused, fewer are answered in turns") {
  TestSetup setup;
  setup.engine.max_sequences = 2;
  setup.engine.max_waiting = 3;
  TestServer server(std::move(setup));
  Json body = chat_body("x", 3);
  body["n"] = 6;
  const http::Response answer = server.post("/v1/chat/completions", body);
  check_error(answer, {400, kInvalid, "invalid_value", "n"});
  CHECK(answer.body.find("n 6 is more than the 5 choices") != std::string::npos);
  body["n"] = 5;
  CHECK(tree(server.post("/v1/chat/completions", body).body)["choices"].size() == 5);
}

TEST_CASE("errors: a full queue is 429 and says when to come again") {
  Gate gate(0);
  TestSetup setup;
  setup.engine.max_sequences = 1;
  setup.engine.max_waiting = 1;
  setup.hooks = gate.hooks();
  TestServer server(std::move(setup));
  std::vector<std::shared_ptr<Generation>> held;
  while (true) {
    auto taken = server.engine().submit(ask({1, 2}, 4));
    if (!taken) break;
    held.push_back(*taken);
    REQUIRE(held.size() < 10);
  }
  for (const bool stream : {false, true}) {
    Json body = chat_body("x");
    body["stream"] = stream;
    const http::Response answer = server.post("/v1/chat/completions", body);
    check_error(answer, {429, "rate_limit_error", "queue_full", nullptr});
    CHECK(std::stoi(std::string(*answer.headers.get("retry-after-ms"))) > 0);
    CHECK(std::stoi(std::string(*answer.headers.get("retry-after"))) > 0);
  }
  gate.open();
  CHECK(eventually([&] { return server.engine().stats().waiting == 0; }));
  CHECK(server.post("/v1/chat/completions", chat_body("x")).status == 200);
}

TEST_CASE("errors: a deadline that passes is 504, or an event once the stream has begun") {
  Gate gate(0);
  TestSetup setup;
  setup.hooks = gate.hooks();
  TestServer server(std::move(setup));
  std::thread opener([&] {
    eventually([&] { return gate.holds(); });
    const Time later = std::chrono::steady_clock::now() + std::chrono::milliseconds(60);
    eventually([&] { return std::chrono::steady_clock::now() > later; });
    gate.open();
  });
  const http::Response answer =
      server.post("/v1/chat/completions", chat_body("x", 2000), {{"x-aictl-deadline-ms", "50"}});
  opener.join();
  check_error(answer, {504, "timeout_error", "deadline_exceeded", nullptr});
  Json bad = chat_body("x");
  check_error(server.post("/v1/chat/completions", bad, {{"x-aictl-deadline-ms", "soon"}}),
              {400, kInvalid, "invalid_value", "x-aictl-deadline-ms"});
  check_error(server.post("/v1/chat/completions", bad, {{"x-aictl-priority", "11"}}),
              {400, kInvalid, "invalid_value", "x-aictl-priority"});
}

TEST_CASE("errors: a server that drains says so and finishes what runs") {
  TestServer server;
  server.api().begin_drain();
  const http::Response answer = server.post("/v1/chat/completions", chat_body("x"));
  check_error(answer, {503, "unavailable_error", "draining", nullptr});
  CHECK(answer.headers.has("retry-after-ms"));
  CHECK(server.get("/readyz").status == 503);
  CHECK(server.get("/health").status == 503);
  CHECK(server.get("/livez").status == 200);
}

TEST_CASE("errors: unknown fields are refused in strict mode only") {
  Json body = chat_body("x");
  body["temperatur"] = 1;
  TestServer lenient;
  CHECK(lenient.post("/v1/chat/completions", body).status == 200);
  TestSetup setup;
  setup.api.strict = true;
  TestServer strict(std::move(setup));
  check_error(strict.post("/v1/chat/completions", body),
              {400, kInvalid, "unknown_parameter", "temperatur"});
}
