// TLS with a certificate made here.
#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <future>
#include <memory>
#include <string>

#include "core/http/client.hpp"
#include "core/http/server.hpp"
#include "tests/unit/core/http/raw_client.hpp"

namespace aictl::http::test {
namespace {

// A self-signed certificate for 127.0.0.1 and its key, in a folder of its own.
struct Certificate {
  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("aictl-tls-" + std::to_string(getpid()));
  std::string certificate = folder / "cert.pem";
  std::string key = folder / "key.pem";

  Certificate() {
    std::filesystem::create_directories(folder);
    std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> pair(EVP_EC_gen("P-256"), EVP_PKEY_free);
    std::unique_ptr<X509, void (*)(X509*)> x509(X509_new(), X509_free);
    X509_set_version(x509.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x509.get()), 3600);
    X509_set_pubkey(x509.get(), pair.get());
    X509_NAME* name = X509_get_subject_name(x509.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("127.0.0.1"), -1, -1, 0);
    X509_set_issuer_name(x509.get(), name);
    X509_EXTENSION* names =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(x509.get(), names, -1);
    X509_EXTENSION_free(names);
    X509_sign(x509.get(), pair.get(), EVP_sha256());
    FILE* file = std::fopen(certificate.c_str(), "w");
    PEM_write_X509(file, x509.get());
    std::fclose(file);
    file = std::fopen(key.c_str(), "w");
    PEM_write_PrivateKey(file, pair.get(), nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
  }
  ~Certificate() { std::filesystem::remove_all(folder); }

  ServerOptions options() const {
    ServerOptions options = free_port();
    options.tls_certificate = certificate;
    options.tls_key = key;
    return options;
  }
};

TEST_CASE("tls: requests, large bodies and streams go through") {
  const Certificate files;
  auto server = serve(
      [](Exchange exchange) {
        if (exchange.request().path != "/stream")
          return exchange.respond(Response::text(200, exchange.request().body));
        Stream stream = exchange.start_stream(200, {});
        for (int i = 0; i < 100; ++i) stream.write(std::string(1000, 'a'));
        stream.finish();
      },
      files.options());
  CHECK(server->url().starts_with("https://127.0.0.1:"));
  ClientOptions trusting;
  trusting.ca_file = files.certificate;
  auto client = Client::open(server->url(), trusting);
  REQUIRE(client.ok());
  const std::string large(3 << 20, 'b');
  for (int i = 0; i < 3; ++i) {
    const auto reply = client->post("/echo", large);
    REQUIRE_MESSAGE(reply.ok(), (reply.ok() ? "" : reply.error().message));
    CHECK(reply->body == large);
    CHECK(client->get("/stream").value().body == std::string(100000, 'a'));
  }
  CHECK(server->stats().accepted == 1);
}

TEST_CASE("tls: a client that does not trust the certificate does not talk") {
  const Certificate files;
  auto server = serve([](Exchange e) { e.respond(Response::text(200, "x")); }, files.options());
  auto client = Client::open(server->url());
  const auto reply = client->get("/");
  REQUIRE_FALSE(reply.ok());
  CHECK(reply.error().code == ErrorCode::kUnavailable);
  ClientOptions careless;
  careless.verify_tls = false;
  CHECK(Client::open(server->url(), careless)->get("/").ok());
}

TEST_CASE("tls: a client gone in mid-stream is noticed; plain text and mute clients are cut off") {
  const Certificate files;
  std::atomic<int> closes{0};
  std::promise<Stream> promise;
  auto future = promise.get_future();
  ServerOptions options = files.options();
  options.header_timeout = 200ms;
  auto server = serve(
      [&](Exchange exchange) {
        exchange.on_close([&] { ++closes; });
        Stream stream = exchange.start_stream(200, {});
        stream.write("first");
        promise.set_value(stream);
      },
      options);
  ClientOptions careless;
  careless.verify_tls = false;
  auto client = Client::open(server->url(), careless);
  const auto reply =
      client->stream("GET", "/", "", {}, nullptr, [](std::string_view) { return false; });
  CHECK(reply.error().code == ErrorCode::kCancelled);
  CHECK(eventually([&] { return closes == 1; }));
  RawClient plain = RawClient::to(*server);
  plain.send(get("/"));
  CHECK(plain.closed_by_server());
  RawClient mute = RawClient::to(*server);
  CHECK(mute.closed_by_server());
}

TEST_CASE("tls: files that are missing or do not belong together are refused by name") {
  const Certificate files;
  ServerOptions options = files.options();
  options.tls_key = files.certificate;
  auto wrong = Server::start(options, [](Exchange) {});
  REQUIRE_FALSE(wrong.ok());
  CHECK(wrong.error().code == ErrorCode::kDataRefused);
  CHECK(wrong.error().message.find("cert.pem") != std::string::npos);
  options.tls_certificate = files.folder / "none.pem";
  CHECK_FALSE(Server::start(options, [](Exchange) {}).ok());
  options.tls_key.clear();
  CHECK(Server::start(options, [](Exchange) {}).error().code == ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace aictl::http::test
