// Every limit: sizes, times, connections. Past it there is an answer, and the server lives on.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <atomic>
#include <future>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "core/http/server.hpp"
#include "tests/unit/core/http/raw_client.hpp"

namespace aictl::http::test {
namespace {

void hello(Exchange exchange) { exchange.respond(Response::text(200, "hello")); }

void check_alive(const Server& server) {
  RawClient client = RawClient::to(server);
  client.send(get("/"));
  const auto reply = client.reply();
  REQUIRE(reply);
  CHECK(reply->status == 200);
}

TEST_CASE("limits: an early 413 reaches a client that is still sending") {
  ServerOptions options = free_port();
  options.parser.body_bytes = 1000;
  auto server = serve(hello, options);
  RawClient client = RawClient::to(*server);
  const size_t size = 8 << 20;
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n");
  client.send(std::string(size, 'x'));  // all of it before reading
  const auto reply = client.reply();
  REQUIRE(reply);
  CHECK(reply->status == 413);
  CHECK(reply->head.find("Connection: close") != std::string::npos);
  CHECK(client.closed_by_server());
  check_alive(*server);
}

TEST_CASE("limits: errors in framing are answered after the requests before them, then it closes") {
  auto server = serve(hello);
  RawClient client = RawClient::to(*server);
  client.send(get("/") + "GET / HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n" + get("/never"));
  CHECK(client.reply()->status == 200);
  CHECK(client.reply()->status == 400);
  CHECK(client.closed_by_server());
  CHECK(client.received().empty());
}

TEST_CASE("limits: the renderer makes the bodies of the server's own errors") {
  ServerOptions options = free_port();
  options.render_error = [](int status, std::string_view message, const Request&) {
    return Response::json(status, "{\"error\":{\"message\":\"" + std::string(message) + "\"}}");
  };
  auto server = serve(hello, options);
  RawClient client = RawClient::to(*server);
  client.send("GET / HTTP/3.0\r\n\r\n");
  const auto reply = client.reply();
  REQUIRE(reply);
  CHECK(reply->status == 505);
  CHECK(reply->body == "{\"error\":{\"message\":\"HTTP/3.0 is not spoken here\"}}");
}

TEST_CASE("limits: the renderer sees what was read of a request") {
  ServerOptions options = free_port();
  options.parser.body_bytes = 10;
  options.render_error = [](int status, std::string_view, const Request& request) {
    return Response::text(status, std::string(request.headers.get("x-id").value_or("none")));
  };
  auto server = serve(hello, options);
  RawClient large = RawClient::to(*server);
  large.send("POST / HTTP/1.1\r\nHost: h\r\nX-Id: mine\r\nContent-Length: 11\r\n\r\n");
  const auto reply = large.reply();
  REQUIRE(reply);
  CHECK(reply->status == 413);
  CHECK(reply->body == "mine");
  RawClient broken = RawClient::to(*server);
  broken.send("?\r\n\r\n");
  CHECK(broken.reply()->body == "none");
}

TEST_CASE("limits: who is refused by the head is not asked for a body") {
  ServerOptions options = free_port();
  options.linger_timeout = 100ms;
  options.on_head = [](const Request& head) -> std::optional<Response> {
    if (head.path == "/throw") throw std::bad_alloc();
    if (head.headers.has("key")) return std::nullopt;
    return Response::text(401, "no key");
  };
  std::atomic<int> handled{0};
  auto server = serve(
      [&](Exchange exchange) {
        ++handled;
        hello(std::move(exchange));
      },
      options);
  const std::string post = "POST / HTTP/1.1\r\nHost: h\r\n";
  const std::string length = "Content-Length: 1000\r\n";
  RawClient waits = RawClient::to(*server);
  waits.send(post + length + "Expect: 100-continue\r\n\r\n");
  const auto refused = waits.reply();
  REQUIRE(refused);
  CHECK(refused->status == 401);
  CHECK(refused->head.find("Connection: close") != std::string::npos);
  CHECK(waits.closed_by_server());
  RawClient sends = RawClient::to(*server);
  sends.send(get("/", "key: 1\r\n") + post + length + "\r\n" + std::string(500, 'x'));
  CHECK(sends.reply()->status == 200);
  CHECK(sends.reply()->status == 401);
  CHECK(sends.closed_by_server());
  CHECK(handled == 1);
  RawClient whole = RawClient::to(*server);  // nothing is left to read: the connection stays
  whole.send(get("/") + get("/throw") + get("/", "key: 1\r\n"));
  CHECK(whole.reply()->status == 401);
  CHECK(whole.reply()->status == 500);
  CHECK(whole.reply()->status == 200);
  CHECK(handled == 2);
}

TEST_CASE("limits: a slow head gets 408, a slow body too, silence between requests just ends") {
  ServerOptions options = free_port();
  options.header_timeout = options.body_timeout = 150ms;
  options.idle_timeout = 300ms;
  options.linger_timeout = 100ms;
  auto server = serve(hello, options);
  RawClient head = RawClient::to(*server);
  RawClient body = RawClient::to(*server);
  RawClient idle = RawClient::to(*server);
  RawClient mute = RawClient::to(*server);
  head.send("GET / HT");
  body.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  idle.send(get("/"));
  CHECK(idle.reply()->status == 200);
  CHECK(head.reply()->status == 408);
  CHECK(head.closed_by_server());
  CHECK(body.reply()->status == 408);
  CHECK(idle.closed_by_server());
  CHECK(idle.received().empty());
  CHECK(mute.closed_by_server());
  CHECK(eventually([&] {
    body.close();
    return server->stats().connections == 0;
  }));
}

TEST_CASE("limits: a body that falls silent is cut off, however fast it began") {
  ServerOptions options = free_port();
  options.body_timeout = 200ms;
  options.linger_timeout = 50ms;
  auto server = serve(hello, options);
  RawClient client = RawClient::to(*server);
  // What has come would earn a slow body a minute more.
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2000000\r\n\r\n" +
              std::string(1'000'000, 'x'));
  const auto reply = client.reply(false, 5s);
  REQUIRE(reply);
  CHECK(reply->status == 408);
}

TEST_CASE("limits: a body behind an exchange that runs has its time too") {
  ServerOptions options = free_port();
  options.body_timeout = 150ms;
  options.linger_timeout = 50ms;
  std::promise<Exchange> promise;
  auto future = promise.get_future();
  auto server = serve([&](Exchange e) { promise.set_value(std::move(e)); }, options);
  RawClient client = RawClient::to(*server);
  client.send(get("/") + "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n" +
              std::string(100'000, 'x'));
  Exchange exchange = future.get();
  REQUIRE(eventually([&] { return server->stats().body_bytes == 100'000; }));
  CHECK(eventually([&] { return server->stats().body_bytes == 0; }, 5s));  // given up
  CHECK_FALSE(exchange.closed());
  exchange.respond(Response::text(200, "first"));
  CHECK(client.reply()->body == "first");
  CHECK(client.reply()->status == 408);
  CHECK(client.closed_by_server());
}

TEST_CASE("limits: who waits for 100 Continue behind an exchange that runs loses no time") {
  ServerOptions options = free_port();
  options.body_timeout = 100ms;
  std::promise<Exchange> promise;
  auto future = promise.get_future();
  auto server = serve(
      [&](Exchange exchange) {
        if (exchange.request().method == "POST") return hello(std::move(exchange));
        promise.set_value(std::move(exchange));
      },
      options);
  RawClient client = RawClient::to(*server);
  client.send(get("/") +
              "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  Exchange exchange = future.get();
  CHECK_FALSE(client.reply(false, 300ms));  // longer than a body may take
  exchange.respond(Response::text(200, "first"));
  CHECK(client.reply()->body == "first");
  CHECK(client.reply(true)->status == 100);
  client.send("abc");
  CHECK(client.reply()->status == 200);
}

TEST_CASE("limits: the descriptor that watches a half-closed client counts as a connection") {
  ServerOptions options = free_port();
  options.max_connections = 3;
  std::mutex mutex;
  std::vector<Exchange> waiting;
  const auto count = [&] {
    std::lock_guard lock(mutex);
    return waiting.size();
  };
  auto server = serve(
      [&](Exchange exchange) {
        if (exchange.request().path != "/wait") return hello(std::move(exchange));
        std::lock_guard lock(mutex);
        waiting.push_back(std::move(exchange));
      },
      options);
  RawClient first = RawClient::to(*server), second = RawClient::to(*server);
  for (RawClient* client : {&first, &second}) {
    client->send(get("/wait"));
    shutdown(client->fd(), SHUT_WR);
    CHECK(client->reply(true)->status == 100);  // asked whether it is there: it is watched
  }
  REQUIRE(eventually([&] { return count() == 2; }));
  RawClient third = RawClient::to(*server);
  CHECK(third.reply()->status == 503);
  for (Exchange& exchange : waiting) exchange.respond(Response::text(200, "late"));
  CHECK(first.reply()->body == "late");
  CHECK(second.reply()->body == "late");
  third.close();
  REQUIRE(eventually([&] { return server->stats().connections == 0; }));
  check_alive(*server);
}

TEST_CASE("limits: a head that trickles in is cut off however often a byte comes") {
  ServerOptions options = free_port();
  options.header_timeout = 200ms;
  options.linger_timeout = 50ms;
  auto server = serve(hello, options);
  RawClient client = RawClient::to(*server);
  client.send("GET / HTTP/1.1\r\n");
  // A byte each time the answer is still not there.
  bool answered = false;
  const auto end = std::chrono::steady_clock::now() + 10s;
  while (!answered && std::chrono::steady_clock::now() < end) {
    client.send("a");
    answered = client.read_until("408", 20ms);
  }
  CHECK(answered);
}

TEST_CASE("limits: over max_connections there is 503 with Retry-After, and room again afterwards") {
  ServerOptions options = free_port();
  options.max_connections = 2;
  auto server = serve(hello, options);
  {
    RawClient one = RawClient::to(*server);
    RawClient two = RawClient::to(*server);
    REQUIRE(eventually([&] { return server->stats().connections == 2; }));
    RawClient three = RawClient::to(*server);
    three.send(get("/"));
    const auto reply = three.reply();
    REQUIRE(reply);
    CHECK(reply->status == 503);
    CHECK(reply->head.find("Retry-After: 1") != std::string::npos);
    CHECK(reply->head.find("retry-after-ms: 1000") != std::string::npos);
    CHECK(three.closed_by_server());
    one.send(get("/"));
    CHECK(one.reply()->status == 200);
    CHECK(server->stats().refused == 1);
  }
  REQUIRE(eventually([&] { return server->stats().connections == 0; }));
  check_alive(*server);
}

TEST_CASE("limits: bodies share a budget; beyond it there is 503, and room again afterwards") {
  ServerOptions options = free_port();
  options.bodies_total = 1'000'000;
  options.linger_timeout = 100ms;
  auto server = serve(hello, options);
  const auto post = [](size_t size) {
    return "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n";
  };
  RawClient slow = RawClient::to(*server), gone = RawClient::to(*server);
  slow.send(post(500'000) + std::string(400'000, 'x'));
  gone.send(post(500'000) + std::string(400'000, 'x'));
  REQUIRE(eventually([&] { return server->stats().body_bytes == 800'000; }));
  RawClient third = RawClient::to(*server);
  third.send(post(300'000) + std::string(300'000, 'x'));
  const auto reply = third.reply();
  REQUIRE(reply);
  CHECK(reply->status == 503);
  CHECK(reply->head.find("Retry-After: 1") != std::string::npos);
  CHECK(third.closed_by_server());
  RawClient small = RawClient::to(*server);  // never turned away
  small.send(post(60'000) + std::string(60'000, 'x'));
  CHECK(small.reply()->status == 200);
  check_alive(*server);
  gone.close();
  REQUIRE(eventually([&] { return server->stats().body_bytes == 400'000; }));
  RawClient fourth = RawClient::to(*server);
  fourth.send(post(600'000) + std::string(600'000, 'x'));
  CHECK(fourth.reply()->status == 200);
  slow.send(std::string(100'000, 'x'));
  CHECK(slow.reply()->status == 200);
  CHECK(eventually([&] { return server->stats().body_bytes == 0; }));
}

TEST_CASE("limits: requests of a connection are counted, the last one says so") {
  ServerOptions options = free_port();
  options.max_requests_per_connection = 2;
  auto server = serve(hello, options);
  RawClient client = RawClient::to(*server);
  client.send(get("/") + get("/"));
  CHECK(client.reply()->head.find("Connection: close") == std::string::npos);
  CHECK(client.reply()->head.find("Connection: close") != std::string::npos);
  CHECK(client.closed_by_server());
}

TEST_CASE("limits: who pipelines and never reads is stopped, others are served") {
  ServerOptions options = free_port();
  options.output_high_water = 256 << 10;
  options.write_timeout = 300ms;
  std::atomic<int> handled{0};
  auto server = serve(
      [&](Exchange exchange) {
        ++handled;
        exchange.respond(Response::text(200, std::string(200'000, 'x')));
      },
      options);
  RawClient greedy(server->bound_addresses().front(), 4096);
  std::string many;
  for (int i = 0; i < 500; ++i) many += get("/");
  greedy.send(many);
  CHECK(eventually([&] { return server->stats().connections == 0; }));  // the write timeout
  CHECK(handled < 100);
  check_alive(*server);
}

TEST_CASE("limits: 2000 idle connections and one that works") {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, 8192);
  setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < 4500) {
    MESSAGE("skipped: this process may open only " << files.rlim_cur << " files");
    return;
  }
  auto server = serve(hello);
  std::vector<RawClient> idle;
  for (int i = 0; i < 2000; ++i) {
    idle.push_back(RawClient::to(*server));
    REQUIRE(idle.back().connected());
  }
  REQUIRE(eventually([&] { return server->stats().connections == 2000; }));
  for (int i = 0; i < 100; ++i) check_alive(*server);
  idle[1000].send(get("/"));
  CHECK(idle[1000].reply()->status == 200);
  idle.clear();
  CHECK(eventually([&] { return server->stats().connections == 0; }));
}

}  // namespace
}  // namespace aictl::http::test
