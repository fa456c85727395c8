// Streams: chunks as they come, readers that go away, readers that are slow.
#include <doctest/doctest.h>
#include <sys/socket.h>

#include <atomic>
#include <future>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/http/server.hpp"
#include "core/http/sse.hpp"
#include "tests/unit/core/http/raw_client.hpp"

namespace aictl::http::test {
namespace {

// Opens one stream and hands it to the test.
struct OneStream {
  std::promise<Stream> promise;
  std::future<Stream> future = promise.get_future();
  std::atomic<int> closes{0};

  Handler handler(StreamKeepAlive keep_alive = {}) {
    return [this, keep_alive](Exchange exchange) {
      if (exchange.request().path != "/stream")
        return exchange.respond(Response::text(200, "other"));
      exchange.on_close([this] { ++closes; });
      promise.set_value(exchange.start_stream(200, sse::headers(), keep_alive));
    };
  }
};

TEST_CASE("stream: pieces arrive as they are written, and the connection stays") {
  OneStream one;
  auto server = serve(one.handler());
  RawClient client = RawClient::to(*server);
  client.send(get("/stream"));
  Stream stream = one.future.get();
  CHECK(stream.write(sse::format_event("first")) == WriteResult::kOk);
  CHECK(client.read_until("data: first\n\n"));
  CHECK(stream.write(sse::format_event("[DONE]")) == WriteResult::kOk);
  stream.finish();
  stream.finish();
  CHECK(stream.write("late") == WriteResult::kClosed);
  CHECK(client.reply()->body == "data: first\n\ndata: [DONE]\n\n");
  client.send(get("/x"));
  CHECK(client.reply()->body == "other");
  CHECK(one.closes == 0);
}

TEST_CASE("stream: a client gone in mid-stream is noticed at once, closed or reset") {
  for (const bool reset : {false, true}) {
    CAPTURE(reset);
    OneStream one;
    auto server = serve(one.handler());
    RawClient client = RawClient::to(*server);
    client.send(get("/stream"));
    Stream stream = one.future.get();
    stream.write("data: x\n\n");
    REQUIRE(client.read_until("data: x"));
    const auto gone = std::chrono::steady_clock::now();
    if (reset)
      client.reset();
    else
      client.close();
    CHECK(eventually([&] { return one.closes == 1; }, 2s));
    CHECK(std::chrono::steady_clock::now() - gone < 1s);
    CHECK(stream.closed());
    CHECK(stream.write("more") == WriteResult::kClosed);
  }
}

TEST_CASE("stream: a client gone before the answer is noticed, also behind a full pipeline") {
  std::atomic<int> closes{0};
  std::atomic<int> running{0};
  std::mutex mutex;
  std::vector<Exchange> kept;
  ServerOptions options = free_port();
  options.pipeline_depth = 2;
  auto server = serve(
      [&](Exchange exchange) {
        exchange.on_close([&] { ++closes; });
        std::lock_guard lock(mutex);
        kept.push_back(std::move(exchange));
        ++running;
      },
      options);
  // More than the server reads ahead; the rest fits the kernel's buffer, or the end could not be
  // seen.
  std::string flood;
  while (flood.size() < (272 << 10)) flood += get("/");
  RawClient client = RawClient::to(*server);
  client.send(flood);
  REQUIRE(eventually([&] { return running == 2; }));
  client.close();
  CHECK(eventually([&] { return closes == 2; }, 3s));
  for (Exchange& exchange : kept) {
    CHECK(exchange.closed());
    exchange.respond(Response::text(200, "nobody"));
  }
  CHECK(eventually([&] { return server->stats().connections == 0; }));
}

TEST_CASE("stream: a client that only sends no more gets its answers, and its going is noticed") {
  for (const bool goes : {false, true}) {
    CAPTURE(goes);
    std::atomic<int> closes{0};
    std::promise<Exchange> promise;
    auto future = promise.get_future();
    auto server = serve([&](Exchange exchange) {
      if (exchange.request().path != "/wait")
        return exchange.respond(Response::text(200, exchange.request().path));
      exchange.on_close([&] { ++closes; });
      promise.set_value(std::move(exchange));
    });
    RawClient client = RawClient::to(*server);
    client.send(get("/wait") + get("/second"));
    shutdown(client.fd(), SHUT_WR);
    Exchange exchange = future.get();
    const auto interim = client.reply(true);
    REQUIRE(interim);
    CHECK(interim->status == 100);
    if (goes) {
      client.close();
      exchange.respond(Response::text(200, std::string(1 << 20, 'x')));
      CHECK(eventually([&] { return server->stats().connections == 0; }, 2s));
      continue;
    }
    exchange.respond(Response::text(200, "first"));
    CHECK(client.reply()->body == "first");
    CHECK(client.reply()->body == "/second");
    CHECK(client.closed_by_server());
    CHECK(closes == 0);
  }
}

TEST_CASE("stream: a client that sends no more is asked once an interval whether it is there") {
  for (const auto interval : {100ms, 15'000ms}) {
    ServerOptions options = free_port();
    options.ask_interval = interval;
    std::promise<Exchange> promise;
    auto future = promise.get_future();
    auto server = serve(
        [&](Exchange exchange) {
          if (exchange.request().path == "/wait") promise.set_value(std::move(exchange));
        },
        options);
    RawClient client = RawClient::to(*server);
    const auto start = std::chrono::steady_clock::now();
    client.send(get("/wait"));
    shutdown(client.fd(), SHUT_WR);
    Exchange exchange = future.get();
    REQUIRE(client.reply(true)->status == 100);
    if (interval > 1s) {
      CHECK_FALSE(client.reply(true, 400ms));
    } else {
      CHECK(client.reply(true)->status == 100);
      CHECK(client.reply(true)->status == 100);
      CHECK(std::chrono::steady_clock::now() - start >= 195ms);
    }
    exchange.respond(Response::text(200, "done"));
    CHECK(client.reply()->body == "done");
  }
}

TEST_CASE("stream: one that is read goes on when its client sends no more, until it goes") {
  OneStream one;
  auto server = serve(one.handler({std::string(sse::kKeepAlive), 50ms}));
  RawClient client = RawClient::to(*server);
  client.send(get("/stream"));
  shutdown(client.fd(), SHUT_WR);
  Stream stream = one.future.get();
  CHECK(client.read_until(": ping\n\n"));
  stream.write("data: x\n\n");
  CHECK(client.read_until("data: x\n\n"));
  CHECK(one.closes == 0);
  client.close();
  CHECK(eventually([&] { return one.closes == 1; }, 2s));
}

TEST_CASE("stream: the end of an HTTP/1.0 client cannot be told from its going") {
  std::promise<Exchange> promise;
  auto future = promise.get_future();
  std::atomic<int> closes{0};
  auto server = serve([&](Exchange exchange) {
    exchange.on_close([&] { ++closes; });
    promise.set_value(std::move(exchange));
  });
  RawClient client = RawClient::to(*server);
  client.send("GET / HTTP/1.0\r\n\r\n");
  Exchange exchange = future.get();
  shutdown(client.fd(), SHUT_WR);
  CHECK(eventually([&] { return closes == 1; }, 2s));
}

TEST_CASE("stream: on_close after the client has gone runs at once; after the end never") {
  std::atomic<bool> late{false};
  OneStream one;
  std::optional<Exchange> kept;
  auto server = serve([&](Exchange exchange) {
    kept = exchange;
    one.handler()(std::move(exchange));
  });
  RawClient client = RawClient::to(*server);
  client.send(get("/stream"));
  Stream stream = one.future.get();
  client.close();
  REQUIRE(eventually([&] { return stream.closed(); }));
  kept->on_close([&] { late = true; });
  CHECK(eventually([&] { return late.load(); }));
}

TEST_CASE("stream: a slow reader is reported, bounded, and does not hold up others") {
  OneStream one;
  ServerOptions options = free_port();
  options.output_high_water = 128 << 10;
  options.output_limit = 512 << 10;
  auto server = serve(one.handler(), options);
  RawClient slow(server->bound_addresses().front(), 4096);
  slow.send(get("/stream"));
  Stream stream = one.future.get();
  const std::string piece(16 << 10, 'p');
  WriteResult result = WriteResult::kOk;
  bool was_slow = false;
  size_t taken = 0;
  while (result != WriteResult::kFull && taken < (size_t{256} << 20)) {
    result = stream.write(piece);
    if (result != WriteResult::kFull) taken += piece.size();
    was_slow = was_slow || result == WriteResult::kSlow;
    CHECK(stream.buffered() <= options.output_limit + piece.size());
  }
  CHECK(result == WriteResult::kFull);
  CHECK(was_slow);
  RawClient other = RawClient::to(*server);
  other.send(get("/x"));
  CHECK(other.reply()->body == "other");
  std::atomic<int> drained{0};
  stream.on_drained([&] { ++drained; });
  CHECK(eventually([&] {
    slow.read_until("never sent", 20ms);
    return drained == 1;
  }));
  CHECK(stream.buffered() <= options.output_high_water / 2);
  stream.finish();
  const auto reply = slow.reply();
  REQUIRE(reply);
  CHECK(reply->body.size() == taken);
  CHECK(one.closes == 0);
}

TEST_CASE("stream: a reader that takes nothing is cut off by the write timeout") {
  OneStream one;
  ServerOptions options = free_port();
  options.write_timeout = 200ms;
  auto server = serve(one.handler(), options);
  RawClient stuck(server->bound_addresses().front(), 4096);
  stuck.send(get("/stream"));
  Stream stream = one.future.get();
  // Written again and again, because the kernel may still have taken what was slow at first.
  CHECK(eventually([&] {
    stream.write(std::string(1 << 20, 'p'));
    return one.closes == 1;
  }));
  CHECK(stream.write("x") == WriteResult::kClosed);
}

TEST_CASE("stream: silence is filled with keep-alive comments") {
  OneStream one;
  auto server = serve(one.handler({std::string(sse::kKeepAlive), 30ms}));
  RawClient client = RawClient::to(*server);
  client.send(get("/stream"));
  Stream stream = one.future.get();
  CHECK(client.read_until(": ping\n\n\r\n8\r\n: ping\n\n"));
  stream.finish();
  CHECK(client.read_until("\r\n0\r\n\r\n"));
}

TEST_CASE("stream: an aborted or forgotten stream cuts the connection instead of ending well") {
  for (const bool forget : {false, true}) {
    CAPTURE(forget);
    auto server = serve([forget](Exchange exchange) {
      Stream stream = exchange.start_stream(200, {});
      stream.write("part");
      if (!forget) stream.abort();
    });
    RawClient client = RawClient::to(*server);
    client.send(get("/"));
    CHECK(client.closed_by_server());
    CHECK(client.received().find("\r\n0\r\n") == std::string::npos);
  }
}

TEST_CASE("stream: many threads write to their streams while clients come and go") {
  ServerOptions options = free_port();
  options.loops = 2;
  std::mutex mutex;
  std::vector<std::jthread> writers;
  std::atomic<int> running{0};
  auto server = serve(
      [&](Exchange exchange) {
        std::lock_guard lock(mutex);
        ++running;
        writers.emplace_back(
            [&running, exchange = std::move(exchange)](std::stop_token stop) mutable {
              auto flag = std::make_shared<std::atomic<bool>>(false);
              exchange.on_close([flag] { *flag = true; });
              Stream stream = exchange.start_stream(200, {});
              while (!*flag && !stop.stop_requested())
                if (stream.write("0123456789") == WriteResult::kFull) std::this_thread::yield();
              --running;
            });
      },
      options);
  for (int round = 0; round < 10; ++round) {
    std::vector<RawClient> clients;
    for (int i = 0; i < 3; ++i) clients.push_back(RawClient::to(*server));
    for (RawClient& client : clients) client.send(get("/"));
    for (RawClient& client : clients) CHECK(client.read_until("0123456789"));
  }
  CHECK(eventually([&] { return running == 0; }));
  CHECK(eventually([&] { return server->stats().connections == 0; }));
  server.reset();
}

}  // namespace
}  // namespace aictl::http::test
