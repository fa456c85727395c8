#include "core/platform/run/local/ports.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <optional>

#include <fmt/format.h>

#include "core/base/file.hpp"
#include "core/platform/run/state/processes.hpp"

namespace aictl::platform {
namespace {

namespace fs = std::filesystem;

// A socket bound to loopback at `port`; no descriptor when that is taken.
Fd bound_socket(int port) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int yes = 1;  // connections that linger in TIME_WAIT do not hinder a server
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return Fd();
  return fd;
}

template <typename T>
std::optional<T> parse(std::string_view text, int base) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> all;
  while (true) {
    const size_t start = line.find_first_not_of(" \t");
    if (start == line.npos) return all;
    line.remove_prefix(start);
    const size_t end = std::min(line.find_first_of(" \t"), line.size());
    all.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

// The process that has the socket `inode` open; 0 when none of those we may look into has.
pid_t holder_of(uint64_t inode) {
  const std::string wanted = fmt::format("socket:[{}]", inode);
  for (const ProcessRow& row : all_processes()) {
    std::error_code error;
    for (fs::directory_iterator fd(fmt::format("/proc/{}/fd", row.id.pid), error), end;
         !error && fd != end; fd.increment(error)) {
      std::error_code gone;
      if (fs::read_symlink(fd->path(), gone) == wanted) return row.id.pid;
    }
  }
  return 0;
}

}  // namespace

bool port_is_free(int port) {
  const Fd fd = bound_socket(port);
  // Two that reuse addresses may both bind; only one may listen.
  return fd && ::listen(fd.get(), 1) == 0;
}

int any_free_port() {
  const Fd fd = bound_socket(0);
  sockaddr_in address = {};
  socklen_t length = sizeof address;
  if (!fd || ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) return 0;
  return ntohs(address.sin_port);
}

std::vector<ListeningSocket> parse_listening(std::string_view table) {
  constexpr std::string_view kListen = "0A";
  std::vector<ListeningSocket> sockets;
  while (!table.empty()) {
    const size_t end = std::min(table.find('\n'), table.size());
    const auto fields = words(table.substr(0, end));
    table.remove_prefix(std::min(end + 1, table.size()));
    if (fields.size() < 10 || fields[3] != kListen) continue;
    const size_t colon = fields[1].rfind(':');
    if (colon == std::string_view::npos) continue;
    const auto port = parse<int>(fields[1].substr(colon + 1), 16);
    const auto user = parse<int>(fields[7], 10);
    const auto inode = parse<uint64_t>(fields[9], 10);
    if (port && user && inode)
      sockets.push_back({std::string(fields[1].substr(0, colon)), *port, *user, *inode});
  }
  return sockets;
}

std::string port_owner(int port) {
  for (const char* file : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    auto table = read_file(file);
    if (!table) continue;
    for (const ListeningSocket& socket : parse_listening(*table)) {
      if (socket.port != port) continue;
      if (const pid_t pid = holder_of(socket.inode)) return describe_process(pid);
      return fmt::format("a process of user {}", socket.user);
    }
  }
  return "";
}

}  // namespace aictl::platform
