// OpenSSL behind libevent's bufferevent_openssl.
#include "core/http/net/tls.hpp"

#include <event2/bufferevent_ssl.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace aictl::http {
namespace {

Error tls_error(const std::string& what) {
  char reason[256] = "unknown reason";
  if (const unsigned long code = ERR_get_error(); code != 0)
    ERR_error_string_n(code, reason, sizeof reason);
  ERR_clear_error();
  return {ErrorCode::kDataRefused, fmt::format("{}: {}", what, reason),
          "the certificate and its key must be PEM files that belong together"};
}

int select_protocol(SSL*, const unsigned char** out, unsigned char* out_length,
                    const unsigned char* in, unsigned int in_length, void*) {
  static constexpr unsigned char kOurs[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_length, kOurs, sizeof kOurs - 1, in, in_length) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

Result<std::unique_ptr<TlsContext>> TlsContext::load(const std::string& certificate,
                                                     const std::string& key) {
  ERR_clear_error();
  std::unique_ptr<TlsContext> context(new TlsContext(SSL_CTX_new(TLS_server_method())));
  SSL_CTX* ssl = context->context_;
  if (ssl == nullptr) return tls_error("creating a TLS context");
  SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
  SSL_CTX_set_options(
      ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);  // an idle connection keeps no record buffers
  SSL_CTX_set_alpn_select_cb(ssl, select_protocol, nullptr);
  if (SSL_CTX_use_certificate_chain_file(ssl, certificate.c_str()) != 1)
    return tls_error(fmt::format("reading the certificate {}", certificate));
  if (SSL_CTX_use_PrivateKey_file(ssl, key.c_str(), SSL_FILETYPE_PEM) != 1)
    return tls_error(fmt::format("reading the key {}", key));
  if (SSL_CTX_check_private_key(ssl) != 1)
    return tls_error(fmt::format("matching {} and {}", certificate, key));
  return context;
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

bufferevent* TlsContext::wrap(event_base* base, int fd) const {
  SSL* session = SSL_new(context_);
  if (session == nullptr) return nullptr;
  bufferevent* connection = bufferevent_openssl_socket_new(
      base, fd, session, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
  if (connection == nullptr) return nullptr;  // the session went with it
  bufferevent_openssl_set_allow_dirty_shutdown(connection, 1);
  return connection;
}

void tls_close_notify(bufferevent* connection) {
  if (SSL* session = bufferevent_openssl_get_ssl(connection); session != nullptr) {
    ERR_clear_error();
    SSL_shutdown(session);
    ERR_clear_error();
  }
}

}  // namespace aictl::http
