// One loop's share of a server: its connections, and what they have in common.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/http/framing/body_budget.hpp"
#include "core/http/net/loop.hpp"
#include "core/http/net/tls.hpp"
#include "core/http/server.hpp"

struct bufferevent;

namespace aictl::http {

class Connection;

/// What all loops of a server share. Options and handler do not change once the loops run.
struct Shared {
  ServerOptions options;
  Handler handler;
  std::unique_ptr<TlsContext> tls;
  std::shared_ptr<BodyBudget> bodies;  // shared with leases, which may outlive the server

  std::atomic<uint64_t> connections{0};  // accepted and not yet gone
  std::atomic<uint64_t> accepted{0};
  std::atomic<uint64_t> refused{0};
  std::atomic<uint64_t> watches{0};  // second descriptors of connections
  std::atomic<uint64_t> exchanges{0};
  std::atomic<uint64_t> older_exchanges{0};  // of those, begun before draining
  std::atomic<bool> draining{false};
  std::atomic<bool> listening{true};
  std::function<void()> on_drained;        // set before draining
  std::function<void()> on_older_through;  // any loop: the last of older_exchanges went, draining
  std::atomic<bool> drained{false};

  Response error(int status, std::string_view message, const Request& request) const;
  /// 503 with a time to come again.
  Response busy(std::string_view message, const Request& request) const;
  /// Runs on_drained, once, when draining is through.
  void check_drained();
};

/// A socket on its way from the listener to its loop.
struct Accepted {
  int fd = -1;
  std::string peer;
  bool tls = false;
  bool refused = false;  // over max_connections: 503
};

/// All methods on the loop's thread.
class Worker {
 public:
  Worker(std::shared_ptr<Loop> loop, Shared& shared) : loop_(std::move(loop)), shared_(shared) {}

  void adopt(Accepted accepted);
  void begin_drain();
  void abort_all();
  void remove(Connection* connection);

  const std::shared_ptr<Loop>& loop() const { return loop_; }
  Shared& shared() { return shared_; }
  /// The Date header's value, made once a second.
  std::string_view date();

 private:
  std::shared_ptr<Loop> loop_;  // shared with the server and every slot
  Shared& shared_;
  std::unordered_map<Connection*, std::shared_ptr<Connection>>
      connections_;  // shared: kept alive in callbacks
  int64_t date_second_ = 0;
  std::string date_;
};

}  // namespace aictl::http
