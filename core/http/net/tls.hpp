// TLS: one context a server or a client, one session a connection.
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

/// What a client trusts. TLS 1.2 and later.
class TlsClientContext {
 public:
  /// `ca_file`: PEM; empty: the system's. Errors: kDataRefused when it cannot be read.
  static Result<std::unique_ptr<TlsClientContext>> make(bool verify, const std::string& ca_file);
  ~TlsClientContext();
  TlsClientContext(const TlsClientContext&) = delete;
  TlsClientContext& operator=(const TlsClientContext&) = delete;

  /// A bufferevent without a socket yet, which asks for `host` and checks that name; nullptr when
  /// out of memory.
  bufferevent* connect(event_base* base, const std::string& host) const;

 private:
  TlsClientContext(ssl_ctx_st* context, bool verify) : context_(context), verify_(verify) {}
  ssl_ctx_st* context_;
  bool verify_;
};

/// Why the handshake of `connection` failed; empty when TLS has nothing to say.
std::string tls_failure(bufferevent* connection);

/// Tells the peer that nothing more will be sent.
void tls_close_notify(bufferevent* connection);

}  // namespace aictl::http
