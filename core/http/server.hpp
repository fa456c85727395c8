// The event-driven HTTP/1.1 server: a few loop threads, no thread a connection, limits on
// everything. libevent gives loop, buffers, timers and TLS; the framing is core/http/parser.hpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/http/exchange.hpp"
#include "core/http/message.hpp"
#include "core/http/parser.hpp"

namespace aictl::http {

/// What one finished exchange was, for logs and metrics.
struct Access {
  const Request& request;
  int status;                         // 499 when the client went before the response was complete
  uint64_t sent;                      // bytes of the response body
  std::chrono::nanoseconds duration;  // from the complete request to the last byte queued
};

struct ServerOptions {
  /// "127.0.0.1:8000", "[::1]:0", "localhost:8080" or "unix:/path"; port 0 picks a free one.
  std::vector<std::string> addresses{"127.0.0.1:8000"};
  bool allow_remote = false;    // without it an address that is not loopback is an error
  std::string tls_certificate;  // PEM file with the chain; empty: no TLS. Unix sockets stay plain
  std::string tls_key;          // PEM file
  int loops = 1;
  int backlog = 4096;
  std::string name = "http";  // of the threads: "http-0"

  size_t max_connections = 16384;      // past it 503 with Retry-After; half-closed ones count twice
  ParserLimits parser;                 // sizes of request line, headers and body
  uint64_t bodies_total = 256u << 20;  // bytes of all bodies at once; past it 503 with Retry-After
  size_t max_requests_per_connection = 1'000'000;
  size_t pipeline_depth = 16;          // requests of a connection that run at once
  size_t output_high_water = 1 << 20;  // bytes a stream may be behind before write() says kSlow
  size_t output_limit = 8 << 20;       // bytes a stream may be behind before write() refuses

  std::chrono::milliseconds header_timeout{10'000};  // TLS handshake and head of a request
  std::chrono::milliseconds idle_timeout{75'000};    // between requests
  std::chrono::milliseconds body_timeout{30'000};    // a body, plus a second for each 16 KiB of it
  std::chrono::milliseconds write_timeout{30'000};   // a reader that takes nothing is cut off
  std::chrono::milliseconds linger_timeout{2'000};   // reading on after an early answer
  std::chrono::milliseconds ask_interval{15'000};    // a client that sends no more: is it there?

  bool decode_bodies = true;   // Content-Encoding gzip, deflate, zstd; bounded by parser.body_bytes
  ErrorRenderer render_error;  // empty: plain text
  /// Judges a request by its head, before "100 Continue" and before its body is waited for; on loop
  /// threads. What it returns is the answer. Then the rest of the body is not read and the
  /// connection ends; a request that had come whole leaves it open. `head.body`, `peer` and
  /// `secure` mean nothing yet.
  std::function<std::optional<Response>(const Request& head)> on_head;
  std::function<void(const Access&)> on_access;  // on loop threads
  std::function<void()> on_notify;               // on the first loop's thread, after notify()
};

struct ServerStats {
  uint64_t connections;  // open now
  uint64_t accepted;     // since start
  uint64_t refused;      // of those, over max_connections
  uint64_t exchanges;    // running now
  uint64_t body_bytes;   // of bodies that are read or worked on now
};

class Server {
 public:
  /// What start() would refuse of `options`, found out without starting: whether each address is
  /// well formed, allowed and free, and the TLS files fit. Errors: as start().
  static Result<void> check(const ServerOptions& options);

  /// Binds, then starts the loops; when it returns, clients can connect. May raise the process's
  /// soft limit on open files to hold max_connections. Errors: kInvalidArgument (an address, a
  /// limit, a remote address without allow_remote), kUnavailable (address in use), kIo,
  /// kDataRefused (TLS files).
  static Result<std::unique_ptr<Server>> start(ServerOptions options, Handler handler);

  /// Stops. Not from a loop thread.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// One a listener, with the real port: "127.0.0.1:41233", "[::1]:80", "unix:/run/aictl.sock".
  const std::vector<std::string>& bound_addresses() const;
  /// "http://127.0.0.1:41233" or "https://..." of the first TCP listener; "unix:/path" without one.
  std::string url() const;

  /// Closes idle connections; running exchanges finish, the last response of each connection says
  /// "Connection: close". New connections are answered so too, until the exchanges that ran when
  /// draining began are through; then nothing is accepted any more. `done` runs once on a loop
  /// thread when no connection is left; those still there after `deadline` are cut. Later calls
  /// only shorten the deadline.
  void drain(std::chrono::milliseconds deadline, std::function<void()> done);
  /// Cuts every connection (their on_close callbacks run) and ends the loops. Idempotent. Not from
  /// a loop thread.
  void stop();
  /// Makes the first loop call on_notify. Async-signal-safe.
  void notify() noexcept;

  ServerStats stats() const;

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace aictl::http
