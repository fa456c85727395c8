// The server's side of TLS: one context a server, one session a connection.
#pragma once

#include <memory>
#include <string>

#include "core/base/result.hpp"

struct ssl_ctx_st;
struct ssl_st;
struct event_base;
struct bufferevent;

namespace aictl::http {

/// Certificate and key, shared by all loops. TLS 1.2 and later; ALPN answers http/1.1.
class TlsContext {
 public:
  /// Errors: kDataRefused when a file is missing, malformed, or the key does not fit.
  static Result<std::unique_ptr<TlsContext>> load(const std::string& certificate,
                                                  const std::string& key);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  /// A bufferevent that owns `fd` and begins the handshake; nullptr when out of memory (then `fd`
  /// stays the caller's). Any thread.
  bufferevent* wrap(event_base* base, int fd) const;

 private:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  ssl_ctx_st* context_;
};

/// Tells the peer that nothing more will be sent.
void tls_close_notify(bufferevent* connection);

}  // namespace aictl::http
