// Serialising the head of a response.
#include "core/http/connection/response_head.hpp"

#include <fmt/format.h>

#include <array>
#include <iterator>

namespace aictl::http {
namespace {

constexpr std::array<std::string_view, 5> kOurs{"content-length", "transfer-encoding", "connection",
                                                "keep-alive", "date"};

bool is_ours(std::string_view name) {
  for (const std::string_view ours : kOurs)
    if (equals_ignoring_case(name, ours)) return true;
  return false;
}

void append_value(std::string& out, std::string_view value) {
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    out.push_back((byte < 0x20 && c != '\t') || byte == 0x7f ? ' ' : c);
  }
}

}  // namespace

void append_response_head(std::string& out, int status, const Headers& headers,
                          const ResponseFraming& framing, std::string_view date) {
  fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\nDate: {}\r\n", status,
                 reason_phrase(status), date);
  for (const Header& field : headers) {
    if (!is_token(field.name) || is_ours(field.name)) continue;
    out += field.name;
    out += ": ";
    append_value(out, field.value);
    out += "\r\n";
  }
  if (framing.length)
    fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", *framing.length);
  if (framing.chunked) out += "Transfer-Encoding: chunked\r\n";
  if (framing.close) out += "Connection: close\r\n";
  if (!framing.close && framing.say_keep_alive) out += "Connection: keep-alive\r\n";
  out += "\r\n";
}

}  // namespace aictl::http
