#include "plugins/services/inference/serve/socket_file.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include <fmt/format.h>

#include "core/base/file.hpp"
#include "core/http/net/address.hpp"

namespace aictl::inference {
namespace {

Result<void> check_folder(const std::string& address, const std::string& folder) {
  struct stat info {};
  int wrong = stat(folder.c_str(), &info) == 0 ? 0 : errno;
  if (wrong == 0 && !S_ISDIR(info.st_mode)) wrong = ENOTDIR;
  if (wrong == 0 && access(folder.c_str(), W_OK | X_OK) != 0) wrong = errno;
  if (wrong == 0) return {};
  Error error = errno_error(fmt::format("listening on {}: folder {}", address, folder), wrong);
  if (wrong == EACCES) error.code = ErrorCode::kForbidden;
  error.hint = "make the folder, writable by this user, or choose another path";
  return error;
}

bool answers(const http::SocketAddress& at) {
  const Fd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return probe && connect(probe.get(), at.get(), at.length) == 0;
}

}  // namespace

Result<void> check_socket_file(const std::string& address) {
  if (!address.starts_with("unix:")) return {};
  auto resolved = http::resolve_listen_address(address);
  if (!resolved) return std::move(resolved).error();
  const http::SocketAddress& at = resolved->front();
  const auto folder = std::filesystem::path(at.unix_path).parent_path();
  if (auto fine = check_folder(address, folder.empty() ? "." : folder.string()); !fine) return fine;
  struct stat info {};
  if (lstat(at.unix_path.c_str(), &info) != 0) return {};
  if (!S_ISSOCK(info.st_mode))
    return Error{
        ErrorCode::kConflict,
        fmt::format("listening on {}: {} exists and is not a socket", address, at.unix_path),
        "choose another path"};
  if (answers(at))  // a socket that nobody answers is left over, and replaced
    return Error{ErrorCode::kUnavailable,
                 fmt::format("listening on {}: another process listens there", address),
                 "choose another path"};
  return {};
}

}  // namespace aictl::inference
