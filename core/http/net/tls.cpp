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

Result<std::unique_ptr<TlsClientContext>> TlsClientContext::make(bool verify,
                                                                 const std::string& ca_file) {
  ERR_clear_error();
  std::unique_ptr<TlsClientContext> context(
      new TlsClientContext(SSL_CTX_new(TLS_client_method()), verify));
  SSL_CTX* ssl = context->context_;
  if (ssl == nullptr) return tls_error("creating a TLS context");
  SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
  SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_verify(ssl, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (ca_file.empty() ? SSL_CTX_set_default_verify_paths(ssl) != 1
                      : SSL_CTX_load_verify_file(ssl, ca_file.c_str()) != 1)
    return tls_error(fmt::format("reading the certificates of {}", ca_file));
  return context;
}

TlsClientContext::~TlsClientContext() { SSL_CTX_free(context_); }

bufferevent* TlsClientContext::connect(event_base* base, const std::string& host) const {
  SSL* session = SSL_new(context_);
  if (session == nullptr) return nullptr;
  SSL_set_tlsext_host_name(session, host.c_str());
  if (verify_) SSL_set1_host(session, host.c_str());
  bufferevent* connection = bufferevent_openssl_socket_new(
      base, -1, session, BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
  if (connection != nullptr) bufferevent_openssl_set_allow_dirty_shutdown(connection, 1);
  return connection;
}

std::string tls_failure(bufferevent* connection) {
  char reason[256];
  const unsigned long code = bufferevent_get_openssl_error(connection);
  if (code == 0) return "";
  ERR_error_string_n(code, reason, sizeof reason);
  return reason;
}

void tls_close_notify(bufferevent* connection) {
  if (SSL* session = bufferevent_openssl_get_ssl(connection); session != nullptr) {
    ERR_clear_error();
    SSL_shutdown(session);
    ERR_clear_error();
  }
}

}  // namespace aictl::http
