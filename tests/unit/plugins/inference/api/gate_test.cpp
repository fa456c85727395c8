// What is judged before a body is read, and how bodies are decoded.
#include <zlib.h>

#include "tests/unit/core/http/raw_client.hpp"
#include "tests/unit/plugins/inference/api/test_server.hpp"

using namespace aictl;
using namespace aictl::inference;
using http::test::RawClient;

namespace {

constexpr const char* kHead = "POST /v1/completions HTTP/1.1\r\nHost: h\r\n";

std::string zipped(const std::string& text) {
  std::string out(compressBound(text.size()), '\0');
  uLongf size = out.size();
  REQUIRE(compress(reinterpret_cast<Bytef*>(out.data()), &size,
                   reinterpret_cast<const Bytef*>(text.data()), text.size()) == Z_OK);
  out.resize(size);
  return out;
}

bool has(const http::test::Reply& reply, std::string_view line) {
  return reply.head.find(line) != std::string::npos;
}

}  // namespace

TEST_CASE("gate: who has no key is told so before the body is sent") {
  TestSetup setup;
  setup.api.keys = *ApiKeys::parse("first-key-123\n");
  TestServer server(std::move(setup));
  RawClient client = RawClient::to(server.server());
  client.send(std::string(kHead) + "x-request-id: mine\r\nContent-Length: 100000\r\n\r\n");
  const auto reply = client.reply();
  REQUIRE(reply);
  CHECK(reply->status == 401);
  CHECK(tree(reply->body)["error"]["code"] == "invalid_api_key");
  CHECK(has(*reply, "x-request-id: mine\r\n"));
  CHECK(has(*reply, "WWW-Authenticate: Bearer\r\n"));
  CHECK(server.post_text("/v1/completions", "no zlib", {{"Content-Encoding", "gzip"}}).status ==
        401);
}

TEST_CASE("gate: a server that drains says so before the body is sent") {
  TestServer server;
  server.api().begin_drain();
  RawClient client = RawClient::to(server.server());
  client.send(std::string(kHead) + "Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n");
  const auto reply = client.reply();
  REQUIRE(reply);
  CHECK(reply->status == 503);
  CHECK(tree(reply->body)["error"]["code"] == "draining");
  CHECK(has(*reply, "retry-after-ms: "));
  CHECK(server.post("/tokenize", {{"content", "a"}}).status == 200);
}

TEST_CASE("gate: compressed bodies are read, under the limit of the server") {
  TestSetup setup;
  setup.server.parser.body_bytes = 4000;
  TestServer server(std::move(setup));
  const auto post = [&](std::string body, const char* coding) {
    return server.post_text("/v1/completions", std::move(body), {{"Content-Encoding", coding}});
  };
  const std::string body = dump_json(completion_body("hello"));
  CHECK(post(zipped(body), "deflate").status == 200);
  CHECK(post(zipped(zipped(body)), "gzip, gzip").status == 200);
  CHECK(post(body, "identity").status == 200);
  CHECK(post("not compressed", "gzip").status == 400);
  CHECK(post(body, "br").status == 415);
  const http::Response bomb = post(zipped(std::string(100'000, ' ')), "gzip");
  CHECK(bomb.status == 413);
  CHECK(tree(bomb.body)["error"]["code"] == "payload_too_large");
  CHECK(bomb.headers.has("request-id"));
}

TEST_CASE("gate: a foreign page may not post without a type, which no browser asks about") {
  TestSetup setup;
  setup.api.cors.origins = {"https://a.example"};
  TestServer server(std::move(setup));
  const std::string body = dump_json(completion_body("hello"));
  const auto status = [&](const std::string& origin) {
    RawClient client = RawClient::to(server.server());
    client.send(kHead + origin + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                body);
    const auto reply = client.reply();
    return reply ? reply->status : 0;
  };
  CHECK(status("") == 200);
  CHECK(status("Origin: https://a.example\r\n") == 200);
  CHECK(status("Origin: https://b.example\r\n") == 403);
  CHECK(status("Origin: null\r\n") == 403);
  CHECK(status("Origin: https://b.example\r\nContent-Type: application/json\r\n") == 200);
}

TEST_CASE("gate: a body that decodes beyond the memory of all says to come again in a second") {
  TestSetup setup;
  setup.server.bodies_total = 200'000;
  TestServer server(std::move(setup));
  const http::Response response = server.post_text(
      "/v1/completions", zipped(std::string(300'000, ' ')), {{"Content-Encoding", "gzip"}});
  CHECK(response.status == 503);
  CHECK(response.headers.get("retry-after-ms") == "1000");
  CHECK(response.headers.get("retry-after") == "1");
  CHECK(tree(response.body)["error"]["code"] == "unavailable");
}

TEST_CASE("gate: errors in the framing carry an id") {
  TestServer server;
  RawClient client = RawClient::to(server.server());
  client.send("GET / HTTP/3.0\r\n\r\n");
  const auto reply = client.reply();
  REQUIRE(reply);
  CHECK(reply->status == 505);
  CHECK(tree(reply->body)["error"]["type"] == "invalid_request_error");
  CHECK(has(*reply, "x-should-retry: false\r\n"));
  CHECK(has(*reply, "\r\nx-request-id: req_"));
  CHECK(has(*reply, "\r\nrequest-id: req_"));
  RawClient folded = RawClient::to(server.server());
  folded.send(std::string(kHead) + "X-Request-Id: mine\r\n folded\r\n\r\n");
  const auto bad = folded.reply();
  REQUIRE(bad);
  CHECK(bad->status == 400);
  CHECK(has(*bad, "x-request-id: mine\r\n"));
}

TEST_CASE("gate: a worker whose task throws goes on") {
  std::atomic<int> ran{0};
  {
    WorkerPool pool(1, 4, "test");
    CHECK(pool.run([] { throw std::bad_alloc(); }));
    CHECK(pool.run([&] { ++ran; }));
  }
  CHECK(ran == 1);
}
