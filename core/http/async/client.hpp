// Many requests at once from one thread: an event loop that sends, streams the answers back as they
// come and keeps time. For who drives a server rather than asks it something.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/clock.hpp"
#include "core/base/result.hpp"
#include "core/http/message.hpp"

namespace aictl::http {

struct AsyncClientOptions {
  std::chrono::milliseconds connect_timeout{5'000};
  bool verify_tls = true;
  std::string ca_file;  // PEM; empty: the system's
};

/// How a request ended without being cancelled.
struct AsyncEnd {
  enum class Stage { kConnecting, kWaiting, kReading };
  int status = 0;                    // 0: no head came
  bool complete = false;             // the whole response is there
  Stage stage = Stage::kConnecting;  // how far it came when not complete
  std::string error;                 // why not complete
};

/// What a request tells, always on the client's thread. Its methods may start, cancel and time.
class AsyncReceiver {
 public:
  virtual ~AsyncReceiver() = default;
  /// The request was handed to a connected socket.
  virtual void on_sent(Time when) = 0;
  /// A piece of the body, at the time it was read.
  virtual void on_body(int status, std::string_view piece, Time when) = 0;
  /// Nothing comes after it.
  virtual void on_end(const AsyncEnd& end, Time when) = 0;
};

/// One origin, any number of kept-alive connections. All of it on the thread that calls run().
class AsyncClient {
 public:
  using Id = uint64_t;

  /// Resolves the host, does not connect yet; allows this process as many descriptors as the system
  /// lets it have. Errors: as Client::open, and kInvalidArgument for a host that does not resolve.
  static Result<std::unique_ptr<AsyncClient>> open(std::string_view url,
                                                   AsyncClientOptions options = {});
  ~AsyncClient();

  /// Sends a POST of `body` to `path` on an idle connection or a new one. `headers` has neither
  /// Host nor Content-Length. `receiver` outlives the request.
  Id post(std::string_view path, std::string body, const Headers& headers, AsyncReceiver& receiver);
  /// Ends a request at once; its receiver hears nothing more. A finished one is left alone.
  void cancel(Id request);
  /// Calls `task` at `when`, or as soon as possible after.
  void at(Time when, std::function<void()> task);
  /// Serves until stop(). SIGPIPE is blocked meanwhile.
  void run();
  void stop();

 private:
  struct State;
  struct Connection;
  explicit AsyncClient(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace aictl::http
