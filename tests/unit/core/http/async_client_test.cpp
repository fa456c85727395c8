// The event-driven client against the server: many at once, kept connections, broken ones.
#include "core/http/async/client.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "tests/unit/core/http/raw_client.hpp"

namespace aictl::http::test {
namespace {

// Keeps what it hears, and tells when it is over.
struct Listener final : AsyncReceiver {
  explicit Listener(std::function<void()> over) : over(std::move(over)) {}
  void on_sent(Time) override { ++sent; }
  void on_body(int code, std::string_view piece, Time) override {
    status = code;
    body += piece;
    if (on_piece) on_piece();
  }
  void on_end(const AsyncEnd& how, Time) override {
    end = how;
    ended = true;
    over();
  }

  std::function<void()> over, on_piece;
  int sent = 0, status = 0;
  bool ended = false;
  std::string body;
  AsyncEnd end;
};

std::unique_ptr<AsyncClient> open(const std::string& url) {
  auto client = AsyncClient::open(url);
  REQUIRE(client.ok());
  return std::move(*client);
}

TEST_CASE(
    "async client: many requests at once, each with its own answer, then on kept connections") {
  auto server = serve([](Exchange exchange) {
    exchange.respond(Response::text(200, exchange.request().body + "!"));
  });
  auto client = open(server->url());
  size_t left = 0;
  const auto over = [&] {
    if (--left == 0) client->stop();
  };
  std::vector<std::unique_ptr<Listener>> listeners;
  for (int round = 0; round < 2; ++round) {
    listeners.clear();
    left = 50;
    for (int i = 0; i < 50; ++i) {
      listeners.push_back(std::make_unique<Listener>(over));
      client->post("/x", std::to_string(i), {{"X-Y", "z"}}, *listeners.back());
    }
    client->run();
    for (int i = 0; i < 50; ++i) {
      CHECK(listeners[static_cast<size_t>(i)]->end.complete);
      CHECK(listeners[static_cast<size_t>(i)]->sent == 1);
      CHECK(listeners[static_cast<size_t>(i)]->body == std::to_string(i) + "!");
    }
  }
  CHECK(server->stats().accepted == 50);
}

TEST_CASE("async client: a kept connection that the server closed is replaced without a word") {
  auto server = serve([](Exchange exchange) { exchange.respond(Response::text(200, "ok")); });
  auto client = open(server->url());
  Listener first([&] { client->stop(); });
  client->post("/", "", {}, first);
  client->run();
  const std::string address = server->bound_addresses().front();
  server.reset();
  ServerOptions again;
  again.addresses = {address};
  server = serve([](Exchange exchange) { exchange.respond(Response::text(200, "new")); }, again);
  Listener second([&] { client->stop(); });
  client->post("/", "", {}, second);
  client->run();
  CHECK(second.end.complete);
  CHECK(second.body == "new");
}

TEST_CASE("async client: tells how far a broken request came") {
  auto server = serve([](Exchange exchange) { exchange.respond(Response::text(200, "ok")); });
  const std::string url = server->url();
  server.reset();
  auto client = open(url);
  Listener refused([&] { client->stop(); });
  client->post("/", "", {}, refused);
  client->run();
  CHECK_FALSE(refused.end.complete);
  CHECK(refused.end.stage == AsyncEnd::Stage::kConnecting);
  CHECK(refused.sent == 0);
  CHECK_FALSE(refused.end.error.empty());
  CHECK_FALSE(AsyncClient::open("http://user:secret@127.0.0.1:1").ok());
  CHECK_FALSE(AsyncClient::open("ftp://x").ok());
}

TEST_CASE("async client: a cancelled request is silent, also when its own piece cancels it") {
  auto server = serve([](Exchange exchange) {
    Stream stream = exchange.start_stream(200, {}, {});
    stream.write("piece");
    exchange.on_close([exchange] {});
  });
  auto client = open(server->url());
  Listener one([] { FAIL("it was cancelled"); });
  AsyncClient::Id id = 0;
  one.on_piece = [&] {
    client->cancel(id);
    client->at(std::chrono::steady_clock::now(), [&] { client->stop(); });
  };
  id = client->post("/", "", {}, one);
  client->run();
  CHECK(one.body == "piece");
  CHECK_FALSE(one.ended);
  client->cancel(id);
}

TEST_CASE("async client: tasks come in the order of their times, none before it is due") {
  auto client = open("http://127.0.0.1:1");
  const Time start = std::chrono::steady_clock::now();
  std::string order;
  client->at(start + 3ms, [&] {
    order += 'c';
    CHECK(std::chrono::steady_clock::now() >= start + 3ms);
    client->stop();
  });
  client->at(start, [&] { order += 'a'; });
  client->at(start + 1ms, [&] { order += 'b'; });
  client->run();
  CHECK(order == "abc");
}

}  // namespace
}  // namespace aictl::http::test
