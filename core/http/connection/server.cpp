// The server: listeners on the first loop, connections dealt to all loops in turn.
#include "core/http/server.hpp"

#include <event2/event.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <future>

#include "core/http/connection/worker.hpp"
#include "core/http/net/listener.hpp"
#include "core/http/net/loop.hpp"

namespace aictl::http {
namespace {

constexpr int kMaxLoops = 256;
constexpr size_t kOtherFiles = 256;       // descriptors the rest of the process may want
constexpr uint64_t kRefusedAtOnce = 256;  // connections over the limit that still get their 503

Result<void> check_options(const ServerOptions& options) {
  const auto bad = [](std::string message) {
    return Error{ErrorCode::kInvalidArgument, std::move(message), ""};
  };
  if (options.addresses.empty()) return bad("the server has no address to listen on");
  if (options.loops < 1 || options.loops > kMaxLoops)
    return bad(fmt::format("{} loops are not in 1..{}", options.loops, kMaxLoops));
  if (options.pipeline_depth < 1) return bad("a pipeline depth of 0 lets no request through");
  if (options.max_connections < 1) return bad("0 connections are no server");
  if (options.tls_certificate.empty() != options.tls_key.empty())
    return bad("TLS needs both a certificate and a key");
  return {};
}

// What one word of the options stands for: a name such as localhost has an address per family.
using AddressGroup = std::vector<SocketAddress>;

Result<std::vector<AddressGroup>> resolve_all(const ServerOptions& options) {
  std::vector<AddressGroup> all;
  for (const std::string& text : options.addresses) {
    auto addresses = resolve_listen_address(text);
    if (!addresses) return std::move(addresses).error();
    for (const SocketAddress& address : *addresses)
      if (!address.is_local() && !options.allow_remote)
        return Error{
            ErrorCode::kInvalidArgument,
            fmt::format("{} can be reached by other machines, and nobody would need a key", text),
            "listen on 127.0.0.1, give keys, or say --insecure"};
    all.push_back(std::move(addresses).value());
  }
  return all;
}

void raise_file_limit(size_t connections) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = std::min<rlim_t>(limit.rlim_max, connections + kOtherFiles);
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = wanted;
  setrlimit(RLIMIT_NOFILE, &limit);  // if it fails, accepting pauses when descriptors run out
}

}  // namespace

struct Server::State {
  Shared shared;
  std::vector<std::shared_ptr<Loop>> loops;  // shared with slots, which may outlive the server
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<std::unique_ptr<Listener>> listeners;  // the first loop's, once it runs
  std::vector<std::string> bound;
  size_t next_worker = 0;     // first loop's thread
  event* deadline = nullptr;  // first loop's thread
  bool running = false;

  Result<void> bind_group(AddressGroup group);
  void on_accept(int fd, std::string peer, bool is_unix);
  void close_listeners();
  void close_idle();
  void end_accepting();
  void begin_drain(std::chrono::milliseconds deadline);
  void abort_everywhere();
};

// The addresses of a group share a port, also a free one; a family this machine lacks is left out
// as long as another one works.
Result<void> Server::State::bind_group(AddressGroup group) {
  uint16_t port = group.front().port();
  std::optional<Error> last;
  bool any = false;
  for (SocketAddress& address : group) {
    address.set_port(port);
    auto listener = Listener::bind(address, shared.options.backlog);
    if (!listener) {
      last = listener.error();
      if (last->code == ErrorCode::kUnavailable) return *last;
      continue;
    }
    auto watched =
        (*listener)->watch(loops[0]->base(), [this](int fd, std::string peer, bool is_unix) {
          on_accept(fd, std::move(peer), is_unix);
        });
    if (!watched) return watched;
    any = true;
    port = (*listener)->address().port();
    bound.push_back((*listener)->address().text());
    listeners.push_back(std::move(listener).value());
  }
  if (!any && last) return *last;
  return {};
}

void Server::State::on_accept(int fd, std::string peer, bool is_unix) {
  ++shared.accepted;
  const uint64_t before = shared.connections++;
  Accepted accepted{fd, std::move(peer), shared.tls != nullptr && !is_unix, false};
  // A descriptor that watches a half-closed client takes the place of a connection.
  if (before + shared.watches >= shared.options.max_connections) {
    ++shared.refused;
    accepted.refused = true;
    if (accepted.tls || before >= shared.options.max_connections + kRefusedAtOnce) {
      close(fd);
      --shared.connections;
      return;
    }
  }
  const size_t index = next_worker++ % workers.size();
  Worker* worker = workers[index].get();
  if (index == 0) return worker->adopt(std::move(accepted));
  worker->loop()->post([worker, accepted = std::move(accepted)] { worker->adopt(accepted); });
}

void Server::State::close_listeners() {
  listeners.clear();
  shared.listening = false;
}

void Server::State::close_idle() {
  for (const auto& worker : workers)
    worker->loop()->post([worker = worker.get()] { worker->begin_drain(); });
}

// Until here new connections got an answer, so that probes see a server that drains. Those of them
// that have not asked yet have a moment to do it.
void Server::State::end_accepting() {
  if (!shared.listening) return;
  for (const auto& listener : listeners) listener->accept_rest();
  close_listeners();
  close_idle();
  shared.check_drained();
}

void Server::State::begin_drain(std::chrono::milliseconds limit) {
  close_idle();
  if (deadline == nullptr) {
    deadline = evtimer_new(
        loops[0]->base(),
        [](int, short, void* self) {
          static_cast<State*>(self)->end_accepting();
          static_cast<State*>(self)->abort_everywhere();
        },
        this);
  }
  const timeval wait{static_cast<time_t>(limit.count() / 1000),
                     static_cast<suseconds_t>(limit.count() % 1000 * 1000)};
  timeval pending{};
  timeval now{};
  event_base_gettimeofday_cached(loops[0]->base(), &now);
  const bool armed = evtimer_pending(deadline, &pending) != 0;
  evutil_timersub(&pending, &now, &pending);
  if (!armed || evutil_timercmp(&wait, &pending, <)) event_add(deadline, &wait);
  if (shared.older_exchanges == 0) end_accepting();
}

void Server::State::abort_everywhere() {
  for (const auto& worker : workers)
    worker->loop()->post([worker = worker.get()] { worker->abort_all(); });
}

Result<void> Server::check(const ServerOptions& options) {
  if (auto fine = check_options(options); !fine) return fine;
  auto groups = resolve_all(options);
  if (!groups) return std::move(groups).error();
  if (!options.tls_certificate.empty())
    if (auto tls = TlsContext::load(options.tls_certificate, options.tls_key); !tls)
      return std::move(tls).error();
  for (const AddressGroup& group : *groups)
    for (const SocketAddress& address : group) {
      if (address.is_unix()) continue;  // binding one would replace what is there
      auto free = Listener::bind(address, 1);
      // A family that this machine lacks is left for start() to judge.
      if (!free && free.error().code == ErrorCode::kUnavailable) return std::move(free).error();
    }
  return {};
}

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, Handler handler) {
  if (auto fine = check_options(options); !fine) return std::move(fine).error();
  auto groups = resolve_all(options);
  if (!groups) return std::move(groups).error();
  std::unique_ptr<Server> server(new Server(std::make_unique<State>()));
  State& state = *server->state_;
  state.shared.options = std::move(options);
  state.shared.handler = std::move(handler);
  state.shared.bodies = std::make_shared<BodyBudget>(state.shared.options.bodies_total);
  const ServerOptions& kept = state.shared.options;
  if (!kept.tls_certificate.empty()) {
    auto tls = TlsContext::load(kept.tls_certificate, kept.tls_key);
    if (!tls) return std::move(tls).error();
    state.shared.tls = std::move(tls).value();
  }
  raise_file_limit(kept.max_connections);
  for (int i = 0; i < kept.loops; ++i) {
    auto loop = Loop::create(fmt::format("{}-{}", kept.name, i));
    if (!loop) return std::move(loop).error();
    state.workers.push_back(std::make_unique<Worker>(*loop, state.shared));
    state.loops.push_back(std::move(loop).value());
  }
  // Posted: the last exchange may end in the midst of accepting.
  state.shared.on_older_through = [&state] {
    state.loops[0]->post([&state] { state.end_accepting(); });
  };
  state.loops[0]->set_on_notify(kept.on_notify);
  for (AddressGroup& group : *groups)
    if (auto bound = state.bind_group(std::move(group)); !bound) return std::move(bound).error();
  for (const auto& loop : state.loops) loop->run();
  state.running = true;
  return server;
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() { stop(); }

const std::vector<std::string>& Server::bound_addresses() const { return state_->bound; }

std::string Server::url() const {
  for (const std::string& address : state_->bound)
    if (!address.starts_with("unix:"))
      return fmt::format("{}://{}", state_->shared.tls ? "https" : "http", address);
  return state_->bound.front();
}

void Server::drain(std::chrono::milliseconds deadline, std::function<void()> done) {
  state_->loops[0]->post([state = state_.get(), deadline, done = std::move(done)]() mutable {
    if (!state->shared.draining) state->shared.on_drained = std::move(done);
    state->shared.draining = true;
    state->begin_drain(deadline);
  });
}

void Server::stop() {
  State& state = *state_;
  if (!std::exchange(state.running, false)) return;
  // Nothing is accepted any more before the loops are told to cut what they have.
  std::promise<void> closed;
  state.loops[0]->post([&] {
    state.close_listeners();
    if (state.deadline != nullptr) event_free(std::exchange(state.deadline, nullptr));
    closed.set_value();
  });
  closed.get_future().wait();
  state.abort_everywhere();
  for (const auto& loop : state.loops) loop->stop();
}

void Server::notify() noexcept { state_->loops[0]->notify(); }

ServerStats Server::stats() const {
  const Shared& shared = state_->shared;
  return {shared.connections, shared.accepted, shared.refused, shared.exchanges,
          shared.bodies->taken()};
}

}  // namespace aictl::http
