// Parsing and printing of addresses; names go through getaddrinfo, once, at start.
#include "core/http/net/address.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstring>
#include <memory>

namespace aictl::http {
namespace {

Error bad_address(std::string_view text, std::string_view why) {
  return {ErrorCode::kInvalidArgument, fmt::format("address '{}' {}", text, why),
          "write 127.0.0.1:8000, [::1]:8000 or unix:/path"};
}

Result<std::vector<SocketAddress>> unix_address(std::string_view text, std::string_view path) {
  SocketAddress address;
  auto* out = reinterpret_cast<sockaddr_un*>(&address.storage);
  if (path.empty() || path.find('\0') != std::string_view::npos)
    return bad_address(text, "has no path");
  if (path.size() >= sizeof out->sun_path)
    return bad_address(text, fmt::format("is longer than the {} bytes a socket path may have",
                                         sizeof out->sun_path - 1));
  out->sun_family = AF_UNIX;
  std::memcpy(out->sun_path, path.data(), path.size());
  address.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  address.unix_path = path;
  return std::vector{address};
}

}  // namespace

Result<std::vector<SocketAddress>> resolve_listen_address(std::string_view text) {
  if (text.starts_with("unix:")) return unix_address(text, text.substr(5));
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0)
    return bad_address(text, "needs a host and a port");
  std::string host(text.substr(0, colon));
  const std::string port(text.substr(colon + 1));
  if (host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string::npos)
    return bad_address(text, "is IPv6 and needs brackets");
  if (port.empty() || port.size() > 5 ||
      port.find_first_not_of("0123456789") != std::string::npos || std::stoi(port) > 65535)
    return bad_address(text, fmt::format("has the port '{}', which is not in 0..65535", port));
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int status = getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  if (status != 0)
    return bad_address(text, fmt::format("does not resolve: {}", gai_strerror(status)));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  std::vector<SocketAddress> addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    SocketAddress address;
    std::memcpy(&address.storage, one->ai_addr, one->ai_addrlen);
    address.length = one->ai_addrlen;
    addresses.push_back(std::move(address));
  }
  return addresses;
}

bool SocketAddress::is_local() const {
  if (is_unix()) return true;
  if (storage.ss_family == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(&storage);
    return (ntohl(in->sin_addr.s_addr) >> 24) == 127;
  }
  const auto* in6 = reinterpret_cast<const sockaddr_in6*>(&storage);
  return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr) != 0 ||
         (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr) && in6->sin6_addr.s6_addr[12] == 127);
}

uint16_t SocketAddress::port() const {
  if (is_unix()) return 0;
  return storage.ss_family == AF_INET
             ? ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port)
             : ntohs(reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port);
}

void SocketAddress::set_port(uint16_t port) {
  if (storage.ss_family == AF_INET)
    reinterpret_cast<sockaddr_in*>(&storage)->sin_port = htons(port);
  if (storage.ss_family == AF_INET6)
    reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port = htons(port);
}

std::string SocketAddress::text() const {
  return is_unix() ? "unix:" + unix_path : peer_text(storage);
}

std::string peer_text(const sockaddr_storage& storage) {
  char host[INET6_ADDRSTRLEN] = "";
  if (storage.ss_family == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(&storage);
    inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
    return fmt::format("{}:{}", host, ntohs(in->sin_port));
  }
  if (storage.ss_family == AF_INET6) {
    const auto* in6 = reinterpret_cast<const sockaddr_in6*>(&storage);
    inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
    return fmt::format("[{}]:{}", host, ntohs(in6->sin6_port));
  }
  return "unix";
}

}  // namespace aictl::http
