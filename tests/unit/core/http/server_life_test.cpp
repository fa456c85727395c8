// From start to stop: addresses, Unix sockets, draining, cutting.
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <future>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>

#include "core/http/server.hpp"
#include "tests/unit/core/http/raw_client.hpp"

namespace aictl::http::test {
namespace {

void hello(Exchange exchange) {
  exchange.respond(Response::text(200, "hello " + exchange.request().peer));
}

Result<std::unique_ptr<Server>> start_at(std::vector<std::string> addresses,
                                         bool allow_remote = false) {
  ServerOptions options;
  options.addresses = std::move(addresses);
  options.allow_remote = allow_remote;
  return Server::start(options, hello);
}

TEST_CASE("life: addresses are refused with what is wrong with them") {
  for (const std::string address : {"", "127.0.0.1", ":80", "127.0.0.1:70000", "::1:80",
                                    "127.0.0.1:", "unix:", "no such host.invalid:1"}) {
    CAPTURE(address);
    auto server = start_at({address});
    REQUIRE_FALSE(server.ok());
    CHECK(server.error().code == ErrorCode::kInvalidArgument);
  }
  CHECK_FALSE(start_at({"unix:/" + std::string(200, 'x')}).ok());
  CHECK_FALSE(start_at({}).ok());
}

TEST_CASE("life: other machines are let in only when that is said") {
  auto closed = start_at({"0.0.0.0:0"});
  REQUIRE_FALSE(closed.ok());
  CHECK(closed.error().hint.find("--insecure") != std::string::npos);
  CHECK(start_at({"0.0.0.0:0"}, true).ok());
}

TEST_CASE("life: an address in use is said to be") {
  auto first = start_at({"127.0.0.1:0"});
  REQUIRE(first.ok());
  auto second = start_at({(*first)->bound_addresses().front()});
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().code == ErrorCode::kUnavailable);
}

TEST_CASE("life: what would not start is found out without starting") {
  auto running = start_at({"127.0.0.1:0"});
  REQUIRE(running.ok());
  const auto check = [](std::vector<std::string> addresses, std::string tls = "") {
    ServerOptions options;
    options.addresses = std::move(addresses);
    options.tls_certificate = options.tls_key = std::move(tls);
    const auto ok = Server::check(options);
    const auto server = Server::start(options, hello);
    CHECK(ok.ok() == server.ok());
    if (!ok) CHECK(ok.error().message == server.error().message);
    return ok;
  };
  CHECK(check({"127.0.0.1"}).error().code == ErrorCode::kInvalidArgument);
  CHECK(check({"127.0.0.1:0", "0.0.0.0:0"}).error().code == ErrorCode::kInvalidArgument);
  CHECK(check({(*running)->bound_addresses().front()}).error().code == ErrorCode::kUnavailable);
  CHECK(check({"127.0.0.1:0"}, "/absent.pem").error().code == ErrorCode::kDataRefused);
  CHECK(check({"127.0.0.1:0", "localhost:0"}).ok());
}

TEST_CASE("life: localhost listens on each family with one port") {
  auto server = start_at({"localhost:0"});
  REQUIRE(server.ok());
  const auto& bound = (*server)->bound_addresses();
  REQUIRE_FALSE(bound.empty());
  const std::string port = bound.front().substr(bound.front().rfind(':'));
  for (const std::string& address : bound) {
    CHECK(address.ends_with(port));
    RawClient client(address);
    client.send(get("/"));
    CHECK(client.reply()->status == 200);
  }
}

TEST_CASE("life: a Unix socket is private, replaces a stale one, and goes with the server") {
  const auto folder =
      std::filesystem::temp_directory_path() / ("aictl-http-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  const std::string path = folder / "s.sock";
  {
    const Fd stale(socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    REQUIRE(bind(stale.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  {
    auto server = start_at({"unix:" + path});
    REQUIRE(server.ok());
    struct stat info {};
    REQUIRE(stat(path.c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
    CHECK((*server)->url() == "unix:" + path);
    RawClient client("unix:" + path);
    client.send(get("/"));
    CHECK(client.reply()->body == "hello unix");
    CHECK_FALSE(start_at({"unix:" + path}).ok());  // somebody answers there
  }
  CHECK_FALSE(std::filesystem::exists(path));
  REQUIRE(std::filesystem::create_directory(path));
  CHECK_FALSE(start_at({"unix:" + path}).ok());
  CHECK(std::filesystem::exists(path));
  std::filesystem::remove_all(folder);
}

TEST_CASE(
    "life: draining lets running exchanges finish, closes idle ones, and says when it is through") {
  std::promise<Exchange> promise;
  auto future = promise.get_future();
  auto server = serve([&](Exchange exchange) {
    if (exchange.request().path == "/run") return promise.set_value(std::move(exchange));
    hello(std::move(exchange));
  });
  RawClient idle = RawClient::to(*server);
  idle.send(get("/"));
  CHECK(idle.reply()->status == 200);
  RawClient partial = RawClient::to(*server);
  partial.send("GET /late HTTP/1.1\r\n");
  RawClient running = RawClient::to(*server);
  running.send(get("/run"));
  Exchange exchange = future.get();
  std::atomic<int> done{0};
  server->drain(20s, [&] { ++done; });
  CHECK(idle.closed_by_server());
  CHECK(done == 0);
  partial.send("Host: h\r\n\r\n");
  const auto late = partial.reply();
  REQUIRE(late);
  CHECK(late->head.find("Connection: close") != std::string::npos);
  exchange.respond(Response::text(200, "finished"));
  const auto reply = running.reply();
  REQUIRE(reply);
  CHECK(reply->body == "finished");
  CHECK(reply->head.find("Connection: close") != std::string::npos);
  CHECK(running.closed_by_server());
  CHECK(eventually([&] { return !RawClient::to(*server).connected(); }));
  partial.close();
  CHECK(eventually([&] { return done == 1; }));
}

TEST_CASE("life: draining an empty server is through at once, and a deadline cuts what stays") {
  std::atomic<int> done{0};
  auto empty = serve(hello);
  empty->drain(20s, [&] { ++done; });
  CHECK(eventually([&] { return done == 1; }, 5s));

  std::promise<Exchange> promise;
  auto future = promise.get_future();
  auto server = serve([&](Exchange exchange) { promise.set_value(std::move(exchange)); });
  RawClient client = RawClient::to(*server);
  client.send(get("/"));
  Exchange exchange = future.get();
  server->drain(20s, [&] { ++done; });
  server->drain(50ms, [] {});
  CHECK(client.closed_by_server());
  CHECK(eventually([&] { return done == 2; }));
  CHECK(exchange.closed());
}

TEST_CASE("life: who connected before the draining and asks within a second is answered") {
  auto server = serve(hello);
  RawClient fresh = RawClient::to(*server);
  REQUIRE(eventually([&] { return server->stats().connections == 1; }));
  std::atomic<int> done{0};
  server->drain(20s, [&] { ++done; });
  REQUIRE(eventually([&] { return !RawClient::to(*server).connected(); }));  // it has begun
  CHECK(done == 0);
  fresh.send(get("/"));
  const auto reply = fresh.reply();
  REQUIRE(reply);
  CHECK(reply->status == 200);
  CHECK(reply->head.find("Connection: close") != std::string::npos);
  CHECK(fresh.closed_by_server());
  CHECK(eventually([&] { return done == 1; }));
}

TEST_CASE("life: who connected before the draining and asks nothing has a second") {
  auto server = serve(hello);
  RawClient silent = RawClient::to(*server);
  REQUIRE(eventually([&] { return server->stats().connections == 1; }));
  std::atomic<int> done{0};
  const auto start = std::chrono::steady_clock::now();
  server->drain(20s, [&] { ++done; });
  CHECK(silent.closed_by_server(5s));
  CHECK(std::chrono::steady_clock::now() - start > 500ms);
  CHECK(eventually([&] { return done == 1; }));
}

TEST_CASE("life: what the kernel has when draining begins is answered, connections and requests") {
  std::promise<void> holding, release;
  auto released = release.get_future().share();
  auto server = serve([&](Exchange exchange) {
    if (exchange.request().path == "/hold") {
      holding.set_value();
      released.wait();
    }
    hello(std::move(exchange));
  });
  RawClient kept = RawClient::to(*server);
  kept.send(get("/"));
  REQUIRE(kept.reply());
  RawClient holds = RawClient::to(*server);
  holds.send(get("/hold"));
  holding.get_future().wait();
  // The loop is busy: it sees nothing of this until the draining is upon it.
  std::atomic<int> done{0};
  RawClient waiting = RawClient::to(*server);
  REQUIRE(waiting.connected());
  server->drain(20s, [&] { ++done; });
  kept.send(get("/kept"));
  waiting.send(get("/waiting"));
  release.set_value();
  for (RawClient* client : {&holds, &kept, &waiting}) {
    const auto reply = client->reply();
    REQUIRE(reply);
    CHECK(reply->status == 200);
    CHECK(client->closed_by_server());
  }
  CHECK(eventually([&] { return done == 1; }));
}

TEST_CASE("life: a stream begun before draining ends well and its connection closes") {
  std::promise<Stream> promise;
  auto future = promise.get_future();
  auto server =
      serve([&](Exchange exchange) { promise.set_value(exchange.start_stream(200, {})); });
  RawClient client = RawClient::to(*server);
  client.send(get("/"));
  Stream stream = future.get();
  stream.write("a");
  REQUIRE(client.read_until("\r\na\r\n"));
  std::atomic<int> done{0};
  server->drain(20s, [&] { ++done; });
  stream.write("b");
  stream.finish();
  const auto reply = client.reply();
  REQUIRE(reply);
  CHECK(reply->body == "ab");
  CHECK(client.closed_by_server());
  CHECK(eventually([&] { return done == 1; }));
}

TEST_CASE("life: while a stream outlasts the draining, new connections are answered and closed") {
  std::promise<Stream> promise;
  auto future = promise.get_future();
  ServerOptions options = free_port();
  options.loops = 2;
  auto server = serve(
      [&](Exchange exchange) {
        if (exchange.request().path != "/stream") return hello(std::move(exchange));
        promise.set_value(exchange.start_stream(200, {}));
      },
      options);
  RawClient streaming = RawClient::to(*server);
  streaming.send(get("/stream"));
  Stream stream = future.get();
  RawClient idle = RawClient::to(*server);
  idle.send(get("/"));
  REQUIRE(idle.reply());
  std::atomic<int> done{0};
  server->drain(20s, [&] { ++done; });
  CHECK(idle.closed_by_server());  // draining has begun
  for (int i = 0; i < 4; ++i) {
    RawClient probe = RawClient::to(*server);
    REQUIRE(probe.connected());
    probe.send(get("/readyz"));
    const auto reply = probe.reply();
    REQUIRE(reply);
    CHECK(reply->head.find("Connection: close") != std::string::npos);
    CHECK(probe.closed_by_server());
  }
  RawClient silent = RawClient::to(*server);  // may not hold up the end
  RawClient last = RawClient::to(*server);
  last.send(get("/"));
  REQUIRE(last.reply());
  CHECK(done == 0);
  stream.write("x");
  stream.finish();
  const auto reply = streaming.reply();
  REQUIRE(reply);
  CHECK(reply->body == "x");
  CHECK(eventually([&] { return done == 1; }));
  CHECK_FALSE(RawClient::to(*server).connected());
  CHECK(silent.closed_by_server());
}

TEST_CASE("life: the deadline of draining ends the answering of new connections too") {
  std::promise<Exchange> promise;
  auto future = promise.get_future();
  auto server = serve([&](Exchange exchange) { promise.set_value(std::move(exchange)); });
  RawClient client = RawClient::to(*server);
  client.send(get("/"));
  const Exchange exchange = future.get();
  std::atomic<int> done{0};
  server->drain(100ms, [&] { ++done; });
  CHECK(eventually([&] {
    RawClient::to(*server);  // a probe that keeps coming
    return done == 1;
  }));
  CHECK_FALSE(RawClient::to(*server).connected());
}

TEST_CASE("life: what a handler or a posted task throws ends a request, not the server") {
  auto server = serve([](Exchange exchange) {
    if (exchange.request().path == "/throw") throw std::bad_alloc();
    if (exchange.request().path == "/later")
      return exchange.post([exchange] { throw std::runtime_error("later"); });
    hello(std::move(exchange));
  });
  RawClient client = RawClient::to(*server);
  for (const char* path : {"/throw", "/later", "/throw"}) {
    client.send(get(path));
    const auto reply = client.reply();
    REQUIRE(reply);
    CHECK(reply->status == 500);
  }
  client.send(get("/"));
  CHECK(client.reply()->status == 200);
}

TEST_CASE("life: stopping cuts running exchanges and tells them; handles may outlive the server") {
  std::promise<Exchange> promise;
  auto future = promise.get_future();
  std::atomic<int> closes{0};
  auto server = serve([&](Exchange exchange) {
    exchange.on_close([&closes, exchange] { ++closes; });
    promise.set_value(std::move(exchange));
  });
  RawClient client = RawClient::to(*server);
  client.send(get("/"));
  Exchange exchange = future.get();
  server->stop();
  CHECK(closes == 1);
  CHECK(client.closed_by_server());
  server.reset();
  CHECK(exchange.closed());
  CHECK(exchange.request().path == "/");
  exchange.respond(Response::text(200, "nobody"));
  exchange.post([] {});
}

TEST_CASE("life: notify reaches the loop") {
  std::atomic<int> notified{0};
  ServerOptions options = free_port();
  options.on_notify = [&] { ++notified; };
  auto server = serve(hello, options);
  server->notify();
  CHECK(eventually([&] { return notified == 1; }));
}

}  // namespace
}  // namespace aictl::http::test
