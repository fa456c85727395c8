// For the server's tests: a socket one can write any bytes to, answers read with a deadline, and a
// server on a free port.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/file.hpp"
#include "core/http/server.hpp"

namespace aictl::http::test {

using namespace std::chrono_literals;

/// Waits until `condition` holds; false after the deadline.
bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds deadline = 10s);

/// Starts a server on 127.0.0.1:0 (or what `options` says); fails the test otherwise.
std::unique_ptr<Server> serve(Handler handler, ServerOptions options = {});
/// The same with port 0 filled in.
ServerOptions free_port();

struct Reply {
  int status = 0;
  std::string head;
  std::string body;  // without chunk framing
};

class RawClient {
 public:
  /// Connects to one of bound_addresses().
  explicit RawClient(const std::string& address, int receive_buffer = 0);
  static RawClient to(const Server& server) { return RawClient(server.bound_addresses().front()); }

  bool connected() const { return static_cast<bool>(fd_); }
  /// False when the server has closed.
  bool send(std::string_view bytes);
  /// The next response; nullopt at the end of the connection or after the deadline.
  std::optional<Reply> reply(bool head_only = false, std::chrono::milliseconds deadline = 10s);
  /// Reads until `text` has come; false at the end or after the deadline.
  bool read_until(std::string_view text, std::chrono::milliseconds deadline = 10s);
  /// Whether the server closes within the deadline (what comes before is read and kept).
  bool closed_by_server(std::chrono::milliseconds deadline = 10s);
  /// Everything read and not yet used.
  const std::string& received() const { return buffer_; }
  void reset();  // closes with RST
  void close() { fd_ = Fd(); }
  int fd() const { return fd_.get(); }

 private:
  bool read_more(std::chrono::steady_clock::time_point deadline);

  Fd fd_;
  std::string buffer_;
  bool ended_ = false;
};

/// "GET path HTTP/1.1" with a Host and what `more` adds ("X: y\r\n").
std::string get(std::string_view path, std::string_view more = "");

}  // namespace aictl::http::test
