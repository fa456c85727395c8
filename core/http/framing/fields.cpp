// The grammar of a request's head, and the rules about fields that decide where a message ends.
#include "core/http/framing/fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace aictl::http {
namespace {

Framing refuse(int status, std::string message) {
  Framing framing;
  framing.status = status;
  framing.message = std::move(message);
  return framing;
}

// Visible ASCII only: what is not has to be percent-encoded in a target.
bool is_target(std::string_view target) {
  return !target.empty() && std::all_of(target.begin(), target.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7f;
  });
}

// The path and query of an absolute-form target, "http://host/path?x"; nullopt when it is none.
std::optional<std::string_view> origin_of_absolute(std::string_view target) {
  const size_t scheme = target.find("://");
  if (scheme == std::string_view::npos) return std::nullopt;
  const std::string_view name = target.substr(0, scheme);
  if (!equals_ignoring_case(name, "http") && !equals_ignoring_case(name, "https"))
    return std::nullopt;
  target.remove_prefix(scheme + 3);
  const size_t end = std::min(target.find_first_of("/?"), target.size());
  const std::string_view authority = target.substr(0, end);
  if (authority.empty() || authority.find('@') != std::string_view::npos) return std::nullopt;
  return target.substr(end);
}

Framing parse_target(Request& out) {
  std::string_view target = out.target;
  if (target == "*") {
    if (out.method != "OPTIONS") return refuse(400, "target '*' is for OPTIONS only");
    out.path = "*";
    return {};
  }
  if (target.front() != '/') {
    const auto origin = origin_of_absolute(target);
    if (!origin) return refuse(400, "request target must be a path, or an absolute http URL");
    target = *origin;
  }
  if (target.find('#') != std::string_view::npos)
    return refuse(400, "request target must not have a fragment");
  const size_t mark = std::min(target.find('?'), target.size());
  if (mark < target.size()) out.query = target.substr(mark + 1);
  auto path = percent_decode(target.substr(0, mark));
  if (!path) return refuse(400, path.error().message);
  out.path = path->empty() ? "/" : std::move(path).value();
  return {};
}

// Digits only: no sign, no list, no space; "5, 5" is refused like "5, 6".
std::optional<uint64_t> parse_length(std::string_view text) {
  uint64_t value = 0;
  if (text.empty()) return std::nullopt;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    if (value > (std::numeric_limits<uint64_t>::max() - 9) / 10) return std::nullopt;
    value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  return value;
}

struct Counts {
  int host = 0;
  int length = 0;
  int encoding = 0;
  int expect = 0;
};

Counts count_fields(const Headers& headers) {
  Counts counts;
  for (const Header& field : headers) {
    counts.host += equals_ignoring_case(field.name, "host");
    counts.length += equals_ignoring_case(field.name, "content-length");
    counts.encoding += equals_ignoring_case(field.name, "transfer-encoding");
    counts.expect += equals_ignoring_case(field.name, "expect");
  }
  return counts;
}

bool is_host(std::string_view host) {
  return std::all_of(host.begin(), host.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7f &&
           c != '/' && c != '@' && c != ',' && c != '?' && c != '#' && c != '\\';
  });
}

}  // namespace

std::optional<std::string> parse_field(std::string_view line, Header& out) {
  if (line.front() == ' ' || line.front() == '\t') return "folded header lines are not accepted";
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return "a header line has no ':'";
  const std::string_view name = line.substr(0, colon);
  if (!is_token(name)) return "a header name is empty or has a character that is not allowed";
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  for (const char c : value)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f)
      return fmt::format("control character in the value of header '{}'", name.substr(0, 64));
  out.name = name;
  out.value = value;
  return std::nullopt;
}

Framing parse_request_line(std::string_view line, Request& out) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last)
    return refuse(400, "request line must be METHOD TARGET HTTP/1.1");
  const std::string_view method = line.substr(0, first);
  const std::string_view version = line.substr(last + 1);
  if (!is_token(method) || method.size() > 32) return refuse(400, "request method is not a token");
  out.method = method;
  out.target = line.substr(first + 1, last - first - 1);
  if (!is_target(out.target))
    return refuse(400, "request target has a space or a control character");
  const bool shaped = version.size() == 8 && version.starts_with("HTTP/") && version[6] == '.' &&
                      version[5] >= '0' && version[5] <= '9' && version[7] >= '0' &&
                      version[7] <= '9';
  if (!shaped) return refuse(400, "request line must end with HTTP/1.1");
  if (version[5] != '1') return refuse(505, fmt::format("{} is not spoken here", version));
  out.minor_version = version[7] == '0' ? 0 : 1;
  if (method == "CONNECT") return refuse(501, "CONNECT is not supported");
  return parse_target(out);
}

Framing judge_head(Request& request, uint64_t body_limit) {
  const Counts counts = count_fields(request.headers);
  if (counts.host > 1) return refuse(400, "more than one Host header");
  if (counts.host == 0 && request.minor_version == 1) return refuse(400, "Host header is missing");
  if (counts.host == 1 && !is_host(*request.headers.get("host")))
    return refuse(400, "Host header is malformed");
  Framing framing;
  if (counts.encoding > 0) {
    if (counts.length > 0) return refuse(400, "both Content-Length and Transfer-Encoding");
    if (request.minor_version == 0) return refuse(400, "Transfer-Encoding in an HTTP/1.0 request");
    if (counts.encoding > 1 ||
        !equals_ignoring_case(*request.headers.get("transfer-encoding"), "chunked"))
      return refuse(501, "only 'chunked' is supported as Transfer-Encoding");
    framing.chunked = true;
  } else if (counts.length > 0) {
    if (counts.length > 1) return refuse(400, "more than one Content-Length header");
    const auto length = parse_length(*request.headers.get("content-length"));
    if (!length) return refuse(400, "Content-Length is not a number");
    if (*length > body_limit)
      return refuse(
          413, fmt::format("body of {} bytes is longer than the limit of {}", *length, body_limit));
    framing.length = *length;
  }
  if (counts.expect > 0 && request.minor_version == 1) {
    if (counts.expect > 1 || !equals_ignoring_case(*request.headers.get("expect"), "100-continue"))
      return refuse(417, "only '100-continue' is supported as Expect");
    framing.expects_continue = framing.chunked || framing.length > 0;
  }
  request.keep_alive = request.minor_version == 1
                           ? !request.headers.has_token("connection", "close")
                           : request.headers.has_token("connection", "keep-alive") &&
                                 !request.headers.has_token("connection", "close");
  return framing;
}

}  // namespace aictl::http
