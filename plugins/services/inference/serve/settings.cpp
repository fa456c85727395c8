#include "plugins/services/inference/serve/settings.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace aictl::inference {

std::vector<Row> serve_rows(ServeSettings& s) {
  std::vector<Row> rows;
  rows.push_back(
      Row("address", &s.addresses,
          "where to listen: HOST:PORT (port 0 picks a free one) or unix:/path; may be repeated")
          .value("ADDRESS"));
  rows.push_back(Row("name", &s.name, "the name clients ask for; empty: the model's own"));
  for (Row& row : engine_rows(s.engine)) rows.push_back(std::move(row));
  rows.push_back(Row("cpu-threads", &s.engine.threads, "another name of --threads")
                     .range(0, 1024)
                     .spelled("auto", 0)
                     .flag_only());
  rows.push_back(Row("kv-cache-dir", &s.kv_cache.folder,
                     "folder in which computed prompts outlive the process, readable by its owner "
                     "alone; off: none; empty: kv in $XDG_CACHE_HOME/aictl or ~/.cache/aictl")
                     .folder());
  rows.push_back(Row("kv-cache-size", &s.kv_cache.limit,
                     "most bytes in that folder, of all models; 0: a tenth of what is free, at "
                     "most 16 GiB"));
  rows.push_back(Row("api-key-file", &s.api_key_file,
                     "keys that may ask, one a line; without it everybody may")
                     .file());
  rows.push_back(Row("insecure", &s.insecure, "listen beyond this machine without keys"));
  rows.push_back(Row("tls-certificate", &s.tls_certificate,
                     "PEM file of the certificate chain; with it the server speaks HTTPS")
                     .file());
  rows.push_back(Row("tls-key", &s.tls_key, "PEM file of the certificate's key").file());
  rows.push_back(Row("cors-origins", &s.cors_origins,
                     "web origins that may ask, such as https://app.example; * for all"));
  rows.push_back(Row("strict", &s.strict, "refuse request fields that no API lists"));
  rows.push_back(Row("max-body", &s.max_body, "largest request body").range(1024, 1e12));
  rows.push_back(Row("max-connections", &s.max_connections, "connections at once; more get 503")
                     .range(1, 1'000'000));
  rows.push_back(
      Row("drain-timeout", &s.drain_timeout, "how long SIGTERM lets running answers finish"));
  rows.push_back(
      Row("idle-timeout", &s.idle_timeout, "how long a connection may be silent between requests"));
  return rows;
}

Result<http::ServerOptions> server_options(const ServeSettings& s) {
  if (s.tls_certificate.empty() != s.tls_key.empty())
    return Error{
        ErrorCode::kInvalidArgument,
        fmt::format("--{} is set without --{}", s.tls_key.empty() ? "tls-certificate" : "tls-key",
                    s.tls_key.empty() ? "tls-key" : "tls-certificate"),
        "TLS needs both"};
  http::ServerOptions options;
  options.addresses = s.addresses;
  options.allow_remote = s.insecure || !s.api_key_file.empty();
  options.tls_certificate = s.tls_certificate;
  options.tls_key = s.tls_key;
  options.max_connections = static_cast<size_t>(s.max_connections);
  options.parser.body_bytes = s.max_body;
  options.bodies_total = std::max(options.bodies_total, 2 * s.max_body);  // one fits, also decoded
  options.idle_timeout = s.idle_timeout;
  return options;
}

Result<ApiOptions> api_options(const ServeSettings& s) {
  ApiOptions options;
  options.strict = s.strict;
  options.cors.origins = s.cors_origins;
  if (s.api_key_file.empty()) return options;
  auto keys = ApiKeys::load(s.api_key_file);
  if (!keys) return std::move(keys).error();
  options.keys = std::move(*keys);
  return options;
}

}  // namespace aictl::inference
