// The server's everyday work over real sockets: framing, keep-alive, pipelining, bodies.
#include "core/http/server.hpp"

#include <doctest/doctest.h>
#include <zlib.h>

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/core/http/raw_client.hpp"

namespace aictl::http::test {
namespace {

void echo(Exchange exchange) {
  const Request& request = exchange.request();
  exchange.respond(Response::text(200, request.method + " " + request.path + " " + request.body));
}

// Collects exchanges so that a test can answer them in its own time.
struct Held {
  std::mutex mutex;
  std::vector<Exchange> exchanges;

  Handler handler() {
    return [this](Exchange exchange) {
      std::lock_guard lock(mutex);
      exchanges.push_back(std::move(exchange));
    };
  }
  size_t count() {
    std::lock_guard lock(mutex);
    return exchanges.size();
  }
};

TEST_CASE("server: answers with Date and Content-Length and keeps the connection") {
  auto server = serve(echo);
  RawClient client = RawClient::to(*server);
  for (int i = 0; i < 3; ++i) {
    REQUIRE(client.send(get("/x")));
    const auto reply = client.reply();
    REQUIRE(reply);
    CHECK(reply->status == 200);
    CHECK(reply->body == "GET /x ");
    CHECK(reply->head.find("\r\nDate: ") != std::string::npos);
    CHECK(reply->head.find("Connection:") == std::string::npos);
  }
  CHECK(server->stats().accepted == 1);
}

TEST_CASE("server: pipelined requests are answered in order, whatever order they finish in") {
  Held held;
  auto server = serve(held.handler());
  RawClient client = RawClient::to(*server);
  REQUIRE(client.send(get("/1") + get("/2") + get("/3")));
  REQUIRE(eventually([&] { return held.count() == 3; }));
  for (const int index : {2, 0, 1})
    held.exchanges[index].respond(Response::text(200, std::to_string(index)));
  for (const std::string expected : {"0", "1", "2"}) {
    const auto reply = client.reply();
    REQUIRE(reply);
    CHECK(reply->body == expected);
  }
}

TEST_CASE("server: the pipeline's depth bounds what runs, and the rest follows") {
  Held held;
  ServerOptions options = free_port();
  options.pipeline_depth = 2;
  auto server = serve(held.handler(), options);
  RawClient client = RawClient::to(*server);
  std::string many;
  for (int i = 0; i < 10; ++i) many += get("/" + std::to_string(i));
  REQUIRE(client.send(many));
  for (size_t i = 0; i < 10; ++i) {
    REQUIRE(eventually([&] { return held.count() > i; }));
    CHECK(held.count() <= i + 2);
    held.exchanges[i].respond(Response::text(200, held.exchanges[i].request().path));
    const auto reply = client.reply();
    REQUIRE(reply);
    CHECK(reply->body == "/" + std::to_string(i));
  }
}

TEST_CASE("server: a chunked upload arrives whole, byte by byte or at once") {
  auto server = serve(echo);
  const std::string upload =
      "POST /up HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n "
      "world\r\n0\r\nT: t\r\n\r\n";
  RawClient client = RawClient::to(*server);
  REQUIRE(client.send(upload));
  CHECK(client.reply()->body == "POST /up hello world");
  for (const char& c : upload) REQUIRE(client.send({&c, 1}));
  CHECK(client.reply()->body == "POST /up hello world");
}

TEST_CASE("server: 100 Continue is sent when the client waits for it, in its turn") {
  auto server = serve(echo);
  RawClient client = RawClient::to(*server);
  REQUIRE(client.send(
      get("/first") +
      "POST /e HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
  CHECK(client.reply()->body == "GET /first ");
  CHECK(client.reply(true)->status == 100);
  REQUIRE(client.send("ok"));
  CHECK(client.reply()->body == "POST /e ok");
}

TEST_CASE("server: HEAD has the length and no body; 204 has neither") {
  auto server = serve([](Exchange exchange) {
    Response response = Response::text(exchange.request().path == "/none" ? 204 : 200, "hello");
    exchange.respond(std::move(response));
  });
  RawClient client = RawClient::to(*server);
  REQUIRE(client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n" + get("/none") + get("/")));
  const auto head = client.reply(true);
  CHECK(head->head.find("Content-Length: 5") != std::string::npos);
  const auto none = client.reply();
  CHECK(none->status == 204);
  CHECK(none->head.find("Content-Length") == std::string::npos);
  CHECK(client.reply()->body == "hello");
}

TEST_CASE("server: HTTP/1.0 closes unless asked to stay, and gets streams without chunks") {
  auto server = serve([](Exchange exchange) {
    if (exchange.request().path != "/stream") return echo(std::move(exchange));
    Stream stream = exchange.start_stream(200, {});
    stream.write("abc");
    stream.finish();
  });
  RawClient stays = RawClient::to(*server);
  REQUIRE(stays.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  CHECK(stays.reply()->head.find("Connection: keep-alive") != std::string::npos);
  REQUIRE(stays.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  CHECK(stays.reply(true)->head.find("Connection: close") != std::string::npos);
  CHECK(stays.closed_by_server());
  CHECK(stays.received() == "abc");
  RawClient goes = RawClient::to(*server);
  REQUIRE(goes.send("GET /a HTTP/1.0\r\n\r\n"));
  CHECK(goes.reply()->status == 200);
  CHECK(goes.closed_by_server());
}

TEST_CASE("server: what a handler puts into headers cannot start a second response") {
  auto server = serve([](Exchange exchange) {
    Response response = Response::text(200, "x");
    response.headers.add("X-Echo", "a\r\nX-Evil: 1\r\n\r\nHTTP/1.1 200 OK");
    response.headers.add("Bad Name", "x");
    response.headers.add("Content-Length", "999");
    exchange.set_response_header("X-Request-Id", "7");
    exchange.respond(std::move(response));
  });
  RawClient client = RawClient::to(*server);
  REQUIRE(client.send(get("/")));
  const auto reply = client.reply();
  REQUIRE(reply);
  CHECK(reply->head.find("\r\nX-Evil") == std::string::npos);
  CHECK(reply->head.find("Bad Name") == std::string::npos);
  CHECK(reply->head.find("Content-Length: 1\r\n") != std::string::npos);
  CHECK(reply->head.find("X-Request-Id: 7\r\n") != std::string::npos);
}

TEST_CASE("server: a dropped exchange is a 500, a second answer is ignored") {
  auto server = serve([](Exchange exchange) {
    if (exchange.request().path == "/drop") return;
    exchange.respond(Response::text(200, "one"));
    exchange.respond(Response::text(200, "two"));
    CHECK(exchange.start_stream(200, {}).write("x") == WriteResult::kClosed);
  });
  RawClient client = RawClient::to(*server);
  REQUIRE(client.send(get("/drop") + get("/twice") + get("/drop")));
  CHECK(client.reply()->status == 500);
  CHECK(client.reply()->body == "one");
  CHECK(client.reply()->status == 500);
}

TEST_CASE("server: compressed bodies are decoded, bombs and unknown codings refused") {
  ServerOptions options = free_port();
  options.parser.body_bytes = 1 << 20;
  auto server = serve(
      [](Exchange exchange) {
        exchange.respond(Response::text(200, std::to_string(exchange.request().body.size())));
      },
      options);
  const auto post = [&](std::string_view coding, size_t size) {
    const std::string text(size, 'a');
    std::string packed(compressBound(text.size()), '\0');
    uLongf length = packed.size();
    compress(reinterpret_cast<Bytef*>(packed.data()), &length,
             reinterpret_cast<const Bytef*>(text.data()), text.size());
    packed.resize(length);
    RawClient client = RawClient::to(*server);
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Encoding: " + std::string(coding) +
                "\r\nContent-Length: " + std::to_string(packed.size()) + "\r\n\r\n" + packed);
    const auto reply = client.reply();
    return reply ? std::to_string(reply->status) + " " + reply->body : "nothing";
  };
  CHECK(post("deflate", 500000) == "200 500000");
  CHECK(post("deflate", 50 << 20).starts_with("413 "));
  CHECK(post("br", 10).starts_with("415 "));
  CHECK(post("zstd", 10).starts_with("400 "));
}

TEST_CASE("server: any thread may answer, on any of several loops") {
  ServerOptions options = free_port();
  options.loops = 3;
  std::mutex mutex;
  std::vector<std::jthread> threads;
  auto server = serve(
      [&](Exchange exchange) {
        std::lock_guard lock(mutex);
        threads.emplace_back([exchange = std::move(exchange)]() mutable {
          Stream stream = exchange.start_stream(200, {});
          for (int i = 0; i < 50; ++i) stream.write(std::to_string(i) + ",");
          stream.finish();
        });
      },
      options);
  std::string expected;
  for (int i = 0; i < 50; ++i) expected += std::to_string(i) + ",";
  std::vector<std::jthread> clients;
  std::atomic<int> good{0};
  for (int c = 0; c < 6; ++c)
    clients.emplace_back([&] {
      RawClient client = RawClient::to(*server);
      for (int i = 0; i < 20; ++i) {
        client.send(get("/"));
        const auto reply = client.reply();
        if (reply && reply->body == expected) ++good;
      }
    });
  clients.clear();
  CHECK(good == 120);
  CHECK(eventually([&] { return server->stats().exchanges == 0; }));
  server.reset();
}

TEST_CASE("server: every exchange is reported once, with its status and size") {
  std::mutex mutex;
  std::vector<std::string> lines;
  ServerOptions options = free_port();
  options.on_access = [&](const Access& access) {
    std::lock_guard lock(mutex);
    lines.push_back(access.request.path + " " + std::to_string(access.status) + " " +
                    std::to_string(access.sent));
  };
  auto server = serve(echo, options);
  RawClient client = RawClient::to(*server);
  REQUIRE(client.send(get("/a") + "BAD\r\n"));
  CHECK(client.reply()->status == 200);
  CHECK(client.reply()->status == 400);
  server.reset();
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] == "/a 200 7");
  CHECK(lines[1].starts_with(" 400 "));
}

}  // namespace
}  // namespace aictl::http::test
