// What can be set of the inference server.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/config/schema.hpp"
#include "core/http/server.hpp"
#include "core/plugin/runtime.hpp"
#include "plugins/services/inference/api/api.hpp"
#include "plugins/services/inference/local/disk_cache.hpp"

namespace aictl::inference {

struct ServeSettings {
  std::vector<std::string> models;  // references; none: the built-in one
  std::vector<std::string> addresses = {"127.0.0.1:8000"};
  std::string name;  // the id of the (first) model; empty: the model's own
  EngineSettings engine;
  DiskCacheSettings kv_cache;
  std::string api_key_file;
  bool insecure = false;
  std::string tls_certificate, tls_key;
  std::vector<std::string> cors_origins;
  bool strict = false;
  uint64_t max_body = uint64_t{64} << 20;
  int max_connections = 16384;
  std::chrono::seconds drain_timeout{300};
  std::chrono::seconds idle_timeout{75};
};

std::vector<Row> serve_rows(ServeSettings& settings);

/// The server's options. Errors: kInvalidArgument for settings that contradict each other or an
/// address beyond loopback without keys.
Result<http::ServerOptions> server_options(const ServeSettings& settings);

/// The API's options; reads the key file. Errors: as ApiKeys::load.
Result<ApiOptions> api_options(const ServeSettings& settings);

}  // namespace aictl::inference
