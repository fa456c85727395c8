// Lines of a request's head, one at a time: request line, header field, and what the framing fields
// say when they stand together.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/http/message.hpp"

namespace aictl::http {

/// What a head says about the rest of the message, or why it is refused.
struct Framing {
  int status = 0;       // 0: fine
  std::string message;  // when refused
  bool chunked = false;
  uint64_t length = 0;  // of the body when not chunked
  bool expects_continue = false;
};

/// Parses "name: value" without its line end. Returns what is wrong with it, if anything (answer
/// 400).
std::optional<std::string> parse_field(std::string_view line, Header& out);

/// Parses "GET /x HTTP/1.1" into method, target, path, query and version. Framing::status is 0,
/// 400, 501 or 505.
Framing parse_request_line(std::string_view line, Request& out);

/// Judges the complete head, sets keep_alive; `body_limit` in bytes.
Framing judge_head(Request& request, uint64_t body_limit);

}  // namespace aictl::http
