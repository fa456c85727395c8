// Ports of this machine: which are free on loopback, and who has those that are not.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aictl::platform {

/// Whether a server could listen on 127.0.0.1:`port` now.
bool port_is_free(int port);
/// A port the kernel has free now; 0 when there is none.
int any_free_port();

/// A socket that listens, of a line of /proc/net/tcp or tcp6.
struct ListeningSocket {
  std::string address;  // in the kernel's hexadecimal
  int port = 0;
  int user = 0;
  uint64_t inode = 0;
};

/// Lines that are malformed or of sockets that do not listen are skipped.
std::vector<ListeningSocket> parse_listening(std::string_view table);

/// Who listens on `port`: "nginx (pid 812: nginx -g daemon off;)", "a process of user 33" when it
/// is hidden from us, or empty when nobody does.
std::string port_owner(int port);

}  // namespace aictl::platform
