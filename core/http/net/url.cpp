// URLs as clients are given them.
#include "core/http/net/url.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/http/message.hpp"

namespace aictl::http {
namespace {

constexpr size_t kMaxUrl = 8192;

Error bad_url(std::string_view why) {
  return {ErrorCode::kInvalidArgument, fmt::format("URL {}", why),
          "write http://host:port or https://host"};
}

}  // namespace

Result<Origin> parse_url(std::string_view url) {
  Origin origin;
  if (url.starts_with("unix:"))
    return Error{ErrorCode::kUnsupported, "the client does not speak over Unix sockets",
                 "use an http:// address"};
  const size_t scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) return bad_url("has no scheme");
  const std::string_view scheme = url.substr(0, scheme_end);
  origin.tls = equals_ignoring_case(scheme, "https");
  if (!origin.tls && !equals_ignoring_case(scheme, "http"))
    return Error{ErrorCode::kUnsupported,
                 fmt::format("scheme '{}' is not supported", scheme.substr(0, 32)),
                 "write http://host:port or https://host"};
  if (url.size() > kMaxUrl) return bad_url("is too long");
  for (const char c : url)
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f)
      return bad_url("has a space or a control character");
  url.remove_prefix(scheme_end + 3);
  const size_t path = std::min(url.find('/'), url.size());
  std::string_view authority = url.substr(0, path);
  origin.prefix = url.substr(path);
  if (origin.prefix.find_first_of("?#") != std::string::npos)
    return bad_url("must end with its path");
  while (origin.prefix.ends_with('/')) origin.prefix.pop_back();
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
    const std::string_view user = authority.substr(0, at);
    const size_t colon = std::min(user.find(':'), user.size());
    auto name = percent_decode(user.substr(0, colon));
    auto password = percent_decode(user.substr(std::min(colon + 1, user.size())));
    if (!name || !password) return bad_url("has a malformed user name or password");
    origin.user = std::move(name).value();
    origin.password = std::move(password).value();
    authority.remove_prefix(at + 1);
  }
  const size_t bracket = authority.rfind(']');
  const size_t colon = authority.rfind(':');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  origin.host = has_port ? authority.substr(0, colon) : authority;
  origin.port = origin.tls ? 443 : 80;
  if (has_port) {
    const std::string port(authority.substr(colon + 1));
    if (port.empty() || port.size() > 5 ||
        port.find_first_not_of("0123456789") != std::string::npos || std::stoi(port) < 1 ||
        std::stoi(port) > 65535)
      return bad_url(
          fmt::format("has the port '{}', which is not in 1..65535", port.substr(0, 16)));
    origin.port = std::stoi(port);
  }
  if (origin.host.empty()) return bad_url("has no host");
  origin.text = fmt::format("{}://{}:{}", origin.tls ? "https" : "http", origin.host, origin.port);
  origin.authority = fmt::format("{}:{}", origin.host, origin.port);
  if (origin.host.front() == '[' && origin.host.back() == ']')
    origin.host = origin.host.substr(1, origin.host.size() - 2);
  return origin;
}

}  // namespace aictl::http
