// Listener addresses as people write them, and as sockets want them.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace aictl::http {

/// One socket address: of TCP, or the path of a Unix socket.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
  std::string unix_path;  // not empty: a Unix socket

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  bool is_unix() const { return !unix_path.empty(); }
  /// Whether only this machine can reach it.
  bool is_local() const;
  /// 0 for a Unix socket.
  uint16_t port() const;
  void set_port(uint16_t port);
  /// "127.0.0.1:80", "[::1]:80", "unix:/path".
  std::string text() const;
};

/// Resolves "host:port", "[::1]:port", ":port" is refused (say which address), "unix:/path". A name
/// gives all its addresses. Errors: kInvalidArgument.
Result<std::vector<SocketAddress>> resolve_listen_address(std::string_view text);

/// "127.0.0.1:53210" of a connected peer; "unix" for a Unix socket.
std::string peer_text(const sockaddr_storage& storage);

}  // namespace aictl::http
