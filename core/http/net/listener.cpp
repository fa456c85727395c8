// Binding with the errors people meet, and accepting in batches.
#include "core/http/net/listener.hpp"

#include <event2/event.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace aictl::http {
namespace {

constexpr int kAcceptBatch = 64;
constexpr timeval kPause{0, 100'000};  // without descriptors there is no use in trying at once

Error bind_error(const SocketAddress& address, int code) {
  Error error = errno_error(fmt::format("listening on {}", address.text()), code);
  if (code == EADDRINUSE) {
    error.code = ErrorCode::kUnavailable;
    error.hint = "another process listens there; choose another port, or 0 for a free one";
  } else if (code == EACCES) {
    error.code = ErrorCode::kForbidden;
    error.hint = "ports below 1024 need a privilege; choose a higher one";
  } else if (code == EADDRNOTAVAIL) {
    error.code = ErrorCode::kInvalidArgument;
    error.hint = "the address is not one of this machine's";
  }
  return error;
}

// A socket file nobody listens on is left over from a crash. Anything else is not ours to remove.
Result<void> remove_stale_socket(const SocketAddress& address) {
  struct stat info {};
  if (lstat(address.unix_path.c_str(), &info) != 0) return {};
  if (!S_ISSOCK(info.st_mode))
    return Error{ErrorCode::kConflict,
                 fmt::format("{} exists and is not a socket", address.unix_path),
                 "choose another path"};
  const Fd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (probe && connect(probe.get(), address.get(), address.length) == 0)
    return bind_error(address, EADDRINUSE);
  if (errno == ECONNREFUSED) unlink(address.unix_path.c_str());
  return {};
}

Result<Fd> bind_socket(const SocketAddress& address) {
  Fd fd(socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return bind_error(address, errno);
  const int on = 1;
  if (!address.is_unix()) setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.storage.ss_family == AF_INET6)
    setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  // For a new socket file the mode of the descriptor counts, so it is never open to others.
  if (address.is_unix()) fchmod(fd.get(), S_IRUSR | S_IWUSR);
  if (::bind(fd.get(), address.get(), address.length) != 0) return bind_error(address, errno);
  return fd;
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::bind(const SocketAddress& address, int backlog) {
  if (address.is_unix())
    if (auto removed = remove_stale_socket(address); !removed) return std::move(removed).error();
  auto fd = bind_socket(address);
  if (!fd) return std::move(fd).error();
  std::unique_ptr<Listener> listener(new Listener());
  listener->fd_ = std::move(fd).value();
  listener->address_ = address;
  listener->owns_path_ = address.is_unix();
  if (address.is_unix() && chmod(address.unix_path.c_str(), S_IRUSR | S_IWUSR) != 0)
    return bind_error(address, errno);
  if (listen(listener->fd_.get(), backlog) != 0) return bind_error(address, errno);
  if (!address.is_unix()) {
    socklen_t length = sizeof listener->address_.storage;
    getsockname(listener->fd_.get(), reinterpret_cast<sockaddr*>(&listener->address_.storage),
                &length);
  }
  return listener;
}

Listener::~Listener() {
  if (readable_ != nullptr) event_free(readable_);
  if (resume_ != nullptr) event_free(resume_);
  if (owns_path_) unlink(address_.unix_path.c_str());
}

Result<void> Listener::watch(event_base* base, OnAccept on_accept) {
  on_accept_ = std::move(on_accept);
  readable_ = event_new(base, fd_.get(), EV_READ | EV_PERSIST, on_readable, this);
  resume_ = evtimer_new(base, on_resume, this);
  if (readable_ == nullptr || resume_ == nullptr || event_add(readable_, nullptr) != 0)
    return Error{ErrorCode::kIo, fmt::format("watching {} failed", address_.text()), ""};
  return {};
}

void Listener::on_readable(int, short, void* self) { static_cast<Listener*>(self)->accept_some(); }

void Listener::on_resume(int, short, void* self) {
  event_add(static_cast<Listener*>(self)->readable_, nullptr);
}

void Listener::accept_rest() {
  constexpr int kMostBatches = 4096 / kAcceptBatch + 1;  // they may keep coming
  for (int i = 0; i < kMostBatches && accept_some();) ++i;
}

// False when nobody waits any more, or none can be taken.
bool Listener::accept_some() {
  for (int i = 0; i < kAcceptBatch; ++i) {
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    const int fd = accept4(fd_.get(), reinterpret_cast<sockaddr*>(&peer), &length,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return false;
      event_del(readable_);
      event_add(resume_, &kPause);
      return false;
    }
    const int on = 1;
    if (!address_.is_unix()) {
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    }
    on_accept_(fd, peer_text(peer), address_.is_unix());
  }
  return true;
}

}  // namespace aictl::http
