// A blocking HTTP client for everything that is not the gateway's hot path: model pulls, probes,
// the command line talking to a server, tests. Thin over cpp-httplib.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/http/message.hpp"

namespace aictl::http {

struct ClientOptions {
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds read_timeout{60'000};  // between two reads
  std::chrono::milliseconds write_timeout{30'000};
  size_t body_limit = 64 << 20;  // of a response that is kept; streamed ones have none
  bool follow_redirects = false;
  bool verify_tls = true;
  std::string ca_file;  // PEM; empty: the system's
};

/// One connection to one origin, kept alive between requests. Movable. One thread at a time, save
/// cancel().
class Client {
 public:
  /// Called with the head of a response before its body; false ends the request (kCancelled).
  using OnHead = std::function<bool(int status, const Headers& headers)>;
  /// Called with each piece of the body as it comes; false ends the request (kCancelled).
  using OnData = std::function<bool(std::string_view bytes)>;

  /// `url`: "http://host:port" or "https://host"; a path is put in front of every request's path.
  /// Does not connect yet. Errors: kInvalidArgument; kUnsupported for "unix:" and other schemes.
  static Result<Client> open(std::string_view url, ClientOptions options = {});

  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  /// Any status is a Response; errors are for no answer at all: kUnavailable (cannot connect, TLS,
  /// connection lost), kDeadlineExceeded, kTooLarge, kCancelled. They name the URL without
  /// credentials and query.
  Result<Response> get(std::string_view path, const Headers& headers = {});
  Result<Response> post(std::string_view path, std::string body,
                        std::string_view content_type = "application/json",
                        const Headers& headers = {});
  Result<Response> send(std::string_view method, std::string_view path, std::string body = "",
                        const Headers& headers = {});
  /// As send(), with the body going to `on_data`; the Response's body stays empty.
  Result<Response> stream(std::string_view method, std::string_view path, std::string body,
                          const Headers& headers, OnHead on_head, OnData on_data);

  /// Ends a running request from another thread: it returns kUnavailable or kCancelled.
  void cancel();

 private:
  struct State;
  explicit Client(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace aictl::http
