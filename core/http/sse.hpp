// Server-sent events: writing them for a Stream, reading them from a Client.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "core/http/exchange.hpp"
#include "core/http/message.hpp"

namespace aictl::http::sse {

/// A comment: keeps the stream alive, ignored by clients.
inline constexpr std::string_view kKeepAlive = ": ping\n\n";

/// The headers of an event stream.
Headers headers();
/// Answers `exchange` with an event stream that pings after each `interval` of silence.
Stream start(Exchange& exchange, std::chrono::milliseconds interval = std::chrono::seconds(15));

/// One event. Lines of `data` become a data field each; `event` and `id` are left out when empty
/// (and lose what stands after a line break: a field is one line).
std::string format_event(std::string_view data, std::string_view event = "",
                         std::string_view id = "");

struct Event {
  std::string event;  // "message" when the stream names none
  std::string data;
  std::string id;  // the last one seen
};

/// Reads events from bytes in any cut (lines end with LF, CRLF or CR). Not thread-safe.
class Parser {
 public:
  explicit Parser(size_t limit = 16 << 20) : limit_(limit) {}

  /// Calls `on_event` for each event that `bytes` completes. False, and nothing more is read, when
  /// a line or an event is longer than the limit.
  bool feed(std::string_view bytes, const std::function<void(const Event&)>& on_event);

 private:
  void on_line(const std::function<void(const Event&)>& on_event);

  size_t limit_;
  std::string line_;
  bool after_cr_ = false;
  bool first_line_ = true;
  bool has_data_ = false;
  bool failed_ = false;
  Event event_;
};

}  // namespace aictl::http::sse
