// A listening socket: bound, watched by a loop, closed with its path removed.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/base/file.hpp"
#include "core/base/result.hpp"
#include "core/http/net/address.hpp"

struct event;
struct event_base;

namespace aictl::http {

class Listener {
 public:
  /// Called on the loop thread for each new connection, with ownership of `fd` (non-blocking).
  using OnAccept = std::function<void(int fd, std::string peer, bool is_unix)>;

  /// Binds and listens, without accepting yet. A Unix socket gets mode 0600 and replaces a stale
  /// one (nobody answers on it). Errors: kUnavailable when the address is in use, kForbidden, kIo.
  static Result<std::unique_ptr<Listener>> bind(const SocketAddress& address, int backlog);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Begins to accept. Before the loop runs, or on its thread; as is destruction afterwards.
  Result<void> watch(event_base* base, OnAccept on_accept);
  /// Accepts who has connected already, before the listener goes: nobody who got through to this
  /// address is reset. On the loop's thread.
  void accept_rest();
  /// With the real port.
  const SocketAddress& address() const { return address_; }

 private:
  Listener() = default;
  static void on_readable(int fd, short what, void* self);
  static void on_resume(int fd, short what, void* self);
  bool accept_some();

  Fd fd_;
  SocketAddress address_;
  bool owns_path_ = false;
  event* readable_ = nullptr;
  event* resume_ = nullptr;  // after running out of file descriptors
  OnAccept on_accept_;
};

}  // namespace aictl::http
