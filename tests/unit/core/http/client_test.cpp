// The blocking client against the server: answers, streams, limits, and errors that name the URL
// only.
#include "core/http/client.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>

#include "core/http/sse.hpp"
#include "tests/unit/core/http/raw_client.hpp"

namespace aictl::http::test {
namespace {

void answer(Exchange exchange) {
  const Request& request = exchange.request();
  if (request.path == "/api/sse") {
    Stream stream = sse::start(exchange);
    for (int i = 0; i < 3; ++i) stream.write(sse::format_event(std::to_string(i)));
    return stream.finish();
  }
  if (request.path == "/api/never") return exchange.on_close([exchange] {});
  if (request.path == "/api/big")
    return exchange.respond(Response::text(200, std::string(100'000, 'x')));
  Response response = Response::text(request.path == "/api/bad" ? 400 : 200, request.body);
  response.headers.add("X-Auth",
                       std::string(request.headers.get("Authorization").value_or("none")));
  response.headers.add("X-Type", std::string(request.headers.get("Content-Type").value_or("none")));
  exchange.respond(std::move(response));
}

TEST_CASE("client: GET and POST keep one connection, any status is an answer") {
  auto server = serve(answer);
  auto client = Client::open(server->url() + "/api/");
  REQUIRE(client.ok());
  CHECK(client->get("/x").value().status == 200);
  const auto posted =
      client->post("/x", "{}", "application/json", {{"Authorization", "Bearer k"}}).value();
  CHECK(posted.body == "{}");
  CHECK(posted.headers.get("x-auth") == "Bearer k");
  CHECK(posted.headers.get("x-type") == "application/json");
  CHECK(client->get("/bad").value().status == 400);
  CHECK(server->stats().accepted == 1);
}

TEST_CASE("client: events are read as they come") {
  auto server = serve(answer);
  auto client = Client::open(server->url() + "/api");
  sse::Parser parser;
  std::string seen;
  int status = 0;
  const auto reply = client->stream(
      "GET", "/sse", "", {},
      [&](int code, const Headers& headers) {
        status = code;
        return headers.get("content-type") == "text/event-stream";
      },
      [&](std::string_view bytes) {
        return parser.feed(bytes, [&](const sse::Event& event) { seen += event.data; });
      });
  CHECK(reply.ok());
  CHECK(status == 200);
  CHECK(seen == "012");
}

TEST_CASE("client: errors name the place and never the credentials") {
  auto server = serve(answer);
  const std::string at = server->bound_addresses().front();
  auto client = Client::open("http://user:s3cret@" + at + "/api");
  REQUIRE(client.ok());
  CHECK(client->get("/x").value().headers.get("x-auth")->starts_with("Basic "));
  server.reset();
  const auto gone = client->get("/x?key=s3cret");
  REQUIRE_FALSE(gone.ok());
  CHECK(gone.error().code == ErrorCode::kUnavailable);
  CHECK(gone.error().message.find("http://" + at + "/api/x") != std::string::npos);
  CHECK(gone.error().message.find("s3cret") == std::string::npos);
}

TEST_CASE("client: time and size have limits") {
  auto server = serve(answer);
  ClientOptions options;
  options.read_timeout = 100ms;
  options.body_limit = 1000;
  auto client = Client::open(server->url() + "/api", options);
  CHECK(client->get("/never").error().code == ErrorCode::kDeadlineExceeded);
  CHECK(client->get("/big").error().code == ErrorCode::kTooLarge);
  CHECK(client->get("/x").ok());
}

TEST_CASE("client: another thread can end a request") {
  std::atomic<int> arrived{0};
  auto server = serve([&](Exchange exchange) {
    exchange.on_close([exchange] {});
    ++arrived;
  });
  auto client = Client::open(server->url());
  std::jthread stopper([&] {
    eventually([&] { return arrived == 1; });
    client->cancel();
  });
  CHECK_FALSE(client->get("/").ok());
}

TEST_CASE("client: URLs and headers that make no sense are refused") {
  for (const std::string url : {"", "host", "http://", "http://h:0", "http://h:99999", "http://h:x",
                                "http://a b", "http://h/p?q", "http://%zz@h"}) {
    CAPTURE(url);
    auto client = Client::open(url);
    REQUIRE_FALSE(client.ok());
    CHECK(client.error().code == ErrorCode::kInvalidArgument);
  }
  CHECK(Client::open("ftp://h").error().code == ErrorCode::kUnsupported);
  CHECK(Client::open("unix:/s").error().code == ErrorCode::kUnsupported);
  auto client = Client::open("http://127.0.0.1:1");
  CHECK(client->get("/x", {{"A", "b\r\nC: d"}}).error().code == ErrorCode::kInvalidArgument);
  CHECK(client->get("/x y").error().code == ErrorCode::kInvalidArgument);
  CHECK(client->send("G T", "/").error().code == ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace aictl::http::test
