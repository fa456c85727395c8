// The event-driven client: bufferevents over libevent's loop, one timer for all that is due later.
#include "core/http/async/client.hpp"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/check.hpp"
#include "core/http/async/response_parser.hpp"
#include "core/http/net/address.hpp"
#include "core/http/net/sigpipe.hpp"
#include "core/http/net/tls.hpp"
#include "core/http/net/url.hpp"

namespace aictl::http {
namespace {

Time now() { return std::chrono::steady_clock::now(); }

timeval to_timeval(Duration d) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(d).count();
  return {us / 1'000'000, us % 1'000'000};
}

// Streams are many: as many descriptors as the hard limit allows.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);  // if it fails, connecting says so
}

}  // namespace

struct AsyncClient::Connection {
  State* state = nullptr;
  bufferevent* socket = nullptr;
  Id request = 0;  // 0: idle
  AsyncReceiver* receiver = nullptr;
  std::string message;  // the request, kept until an answer begins: an idle connection may be dead
  bool connected = false, reused = false;
  size_t address = 0;  // which of the origin's
  ResponseParser parser;
};

struct AsyncClient::State {
  Origin origin;
  AsyncClientOptions options;
  std::vector<SocketAddress> addresses;
  size_t address = 0;  // the one that answers
  std::unique_ptr<TlsClientContext> tls;
  event_base* base = nullptr;
  event* timer = nullptr;
  Id last_id = 0;
  std::unordered_map<Id, std::unique_ptr<Connection>> running;
  std::vector<std::unique_ptr<Connection>> idle;  // the last one used is used next
  std::multimap<Time, std::function<void()>> tasks;

  ~State();
  void begin(std::unique_ptr<Connection> connection);
  bool open_socket(Connection& connection);
  void send(Connection& connection);
  void read(Connection& connection);
  void on_event(Connection& connection, short what);
  void on_lost(Connection& connection, const std::string& why);
  void end(Connection& connection, Time when);
  void arm();
  void run_due();

  static void close(Connection& connection) {
    if (connection.socket != nullptr) bufferevent_free(connection.socket);
    connection.socket = nullptr;
  }
};

AsyncClient::State::~State() {
  for (auto& [id, connection] : running) close(*connection);
  for (auto& connection : idle) close(*connection);
  if (timer != nullptr) event_free(timer);
  if (base != nullptr) event_base_free(base);
}

// Makes the socket and begins to connect. False when the system refuses a socket.
bool AsyncClient::State::open_socket(Connection& connection) {
  connection.connected = connection.reused = false;
  connection.address = address;
  connection.socket = tls ? tls->connect(base, origin.host)
                          : bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
  if (connection.socket == nullptr) return false;
  bufferevent_setcb(
      connection.socket,
      [](bufferevent*, void* self) {
        auto* one = static_cast<Connection*>(self);
        one->state->read(*one);
      },
      nullptr,
      [](bufferevent*, short what, void* self) {
        auto* one = static_cast<Connection*>(self);
        one->state->on_event(*one, what);
      },
      &connection);
  const timeval patience = to_timeval(options.connect_timeout);
  bufferevent_set_timeouts(connection.socket, &patience, &patience);
  bufferevent_enable(connection.socket, EV_READ | EV_WRITE);
  const SocketAddress& to = addresses[address];
  return bufferevent_socket_connect(connection.socket, to.get(), static_cast<int>(to.length)) == 0;
}

void AsyncClient::State::begin(std::unique_ptr<Connection> connection) {
  Connection& one = *connection;
  running[one.request] = std::move(connection);
  if (one.socket != nullptr) return send(one);
  if (!open_socket(one)) {
    // Not from inside post(): its caller does not know the id yet.
    const Id id = one.request;
    tasks.emplace(now(), [this, id] {
      if (const auto found = running.find(id); found != running.end())
        on_lost(*found->second, "no socket could be opened");
    });
    arm();
  }
}

void AsyncClient::State::send(Connection& connection) {
  bufferevent_set_timeouts(connection.socket, nullptr, nullptr);
  bufferevent_write(connection.socket, connection.message.data(), connection.message.size());
  connection.receiver->on_sent(now());
}

void AsyncClient::State::read(Connection& connection) {
  const Time when = now();
  evbuffer* input = bufferevent_get_input(connection.socket);
  if (connection.request == 0) {  // an idle connection says something: it is of no more use
    evbuffer_drain(input, evbuffer_get_length(input));
    return;
  }
  const Id request = connection.request;
  while (const size_t length = evbuffer_get_length(input)) {
    evbuffer_iovec block{};
    if (evbuffer_peek(input, -1, nullptr, &block, 1) < 1) return;
    const std::string_view bytes(static_cast<const char*>(block.iov_base),
                                 std::min(block.iov_len, length));
    const size_t used = connection.parser.feed(bytes, [&](std::string_view piece) {
      connection.receiver->on_body(connection.parser.status(), piece, when);
    });
    if (!running.contains(request)) return;  // cancelled by its receiver
    evbuffer_drain(input, used);
    if (connection.parser.failed() || connection.parser.complete()) return end(connection, when);
  }
}

void AsyncClient::State::on_event(Connection& connection, short what) {
  if ((what & BEV_EVENT_CONNECTED) != 0) {
    connection.connected = true;
    address = connection.address;
    const int yes = 1;
    setsockopt(bufferevent_getfd(connection.socket), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return send(connection);
  }
  if (connection.request == 0) {  // the server closed an idle connection
    std::erase_if(idle, [&](const auto& one) {
      if (one.get() == &connection) close(*one);
      return one.get() == &connection;
    });
    return;
  }
  if ((what & BEV_EVENT_EOF) != 0 && connection.connected) {
    connection.parser.on_end();
    if (connection.parser.complete()) return end(connection, now());
  }
  std::string why = (what & BEV_EVENT_TIMEOUT) != 0 ? "timed out"
                    : (what & BEV_EVENT_EOF) != 0
                        ? "the connection was closed"
                        : evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR());
  if (tls && !connection.connected && (what & BEV_EVENT_TIMEOUT) == 0)
    if (std::string reason = tls_failure(connection.socket); !reason.empty())
      why = std::move(reason);
  on_lost(connection, why);
}

// The connection broke under a request. One that was idle before may have been closed while the
// request was on its way, and an address may not answer where the next one does: both are tried
// again.
void AsyncClient::State::on_lost(Connection& connection, const std::string& why) {
  const bool stale = connection.reused && !connection.parser.started();
  const bool other = !connection.connected && connection.address + 1 < addresses.size();
  if (stale || other) {
    close(connection);
    connection.parser.reset();
    if (other && address == connection.address) ++address;
    if (open_socket(connection)) return;
  }
  AsyncEnd end;
  end.status = connection.parser.has_head() || connection.parser.status() >= 200
                   ? connection.parser.status()
                   : 0;
  end.stage = !connection.connected ? AsyncEnd::Stage::kConnecting
              : end.status == 0     ? AsyncEnd::Stage::kWaiting
                                    : AsyncEnd::Stage::kReading;
  end.error = why;
  AsyncReceiver* receiver = connection.receiver;
  close(connection);
  running.erase(connection.request);
  receiver->on_end(end, now());
}

// The response is there or makes no sense. The connection waits for the next request, or goes.
void AsyncClient::State::end(Connection& connection, Time when) {
  AsyncEnd end;
  end.status = connection.parser.status();
  end.complete = connection.parser.complete();
  end.stage = AsyncEnd::Stage::kReading;
  end.error = connection.parser.error();
  AsyncReceiver* receiver = connection.receiver;
  auto node = running.extract(connection.request);
  std::unique_ptr<Connection> owned = std::move(node.mapped());
  if (end.complete && owned->parser.keep_alive() &&
      evbuffer_get_length(bufferevent_get_input(owned->socket)) == 0) {
    owned->request = 0;
    owned->receiver = nullptr;
    owned->parser.reset();
    idle.push_back(std::move(owned));
  } else {
    close(*owned);
  }
  receiver->on_end(end, when);
}

void AsyncClient::State::arm() {
  if (tasks.empty()) return;
  const timeval wait = to_timeval(std::max(Duration(0), tasks.begin()->first - now()));
  event_add(timer, &wait);
}

void AsyncClient::State::run_due() {
  while (!tasks.empty() && tasks.begin()->first <= now()) {
    auto task = std::move(tasks.begin()->second);
    tasks.erase(tasks.begin());
    task();
  }
  arm();
}

AsyncClient::AsyncClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
AsyncClient::~AsyncClient() = default;

Result<std::unique_ptr<AsyncClient>> AsyncClient::open(std::string_view url,
                                                       AsyncClientOptions options) {
  auto origin = parse_url(url);
  if (!origin) return std::move(origin).error();
  if (!origin->user.empty())
    return Error{ErrorCode::kUnsupported, "this client sends no user name out of a URL",
                 "leave it out, and give a key"};
  auto state = std::make_unique<State>();
  state->origin = std::move(*origin);
  state->options = std::move(options);
  auto addresses = resolve_listen_address(state->origin.authority);
  if (!addresses) return std::move(addresses).error();
  state->addresses = std::move(*addresses);
  if (state->origin.tls) {
    auto tls = TlsClientContext::make(state->options.verify_tls, state->options.ca_file);
    if (!tls) return std::move(tls).error();
    state->tls = std::move(*tls);
  }
  event_config* config = event_config_new();
  CHECK(config != nullptr);
  // Microseconds count here: a request is sent when it is due, not a millisecond later.
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
  event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);
  event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
  event_config_set_flag(config, EVENT_BASE_FLAG_NO_CACHE_TIME);
  state->base = event_base_new_with_config(config);
  event_config_free(config);
  if (state->base == nullptr) return Error{ErrorCode::kIo, "creating an event loop failed", ""};
  state->timer = evtimer_new(
      state->base, [](int, short, void* self) { static_cast<State*>(self)->run_due(); },
      state.get());
  CHECK(state->timer != nullptr);
  raise_descriptor_limit();
  return std::unique_ptr<AsyncClient>(new AsyncClient(std::move(state)));
}

AsyncClient::Id AsyncClient::post(std::string_view path, std::string body, const Headers& headers,
                                  AsyncReceiver& receiver) {
  State& state = *state_;
  std::unique_ptr<Connection> connection;
  if (state.idle.empty()) {
    connection = std::make_unique<Connection>();
    connection->state = &state;
  } else {
    connection = std::move(state.idle.back());
    state.idle.pop_back();
    connection->reused = true;
  }
  const Id id = ++state.last_id;
  connection->request = id;
  connection->receiver = &receiver;
  connection->message = fmt::format("POST {}{} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n",
                                    state.origin.prefix, path, state.origin.authority, body.size());
  for (const Header& field : headers)
    connection->message += fmt::format("{}: {}\r\n", field.name, field.value);
  connection->message += "\r\n";
  connection->message += body;
  state.begin(std::move(connection));
  return id;
}

void AsyncClient::cancel(Id request) {
  const auto found = state_->running.find(request);
  if (found == state_->running.end()) return;
  State::close(*found->second);
  // The connection may be on the stack below: it goes when the loop is back.
  state_->tasks.emplace(now(), [gone = std::shared_ptr<Connection>(std::move(found->second))] {});
  state_->running.erase(found);
  state_->arm();
}

void AsyncClient::at(Time when, std::function<void()> task) {
  state_->tasks.emplace(when, std::move(task));
  state_->arm();
}

void AsyncClient::run() {
  const SigpipeBlock no_signal;
  event_base_loop(state_->base, EVLOOP_NO_EXIT_ON_EMPTY);
}

void AsyncClient::stop() { event_base_loopbreak(state_->base); }

}  // namespace aictl::http
