// Status line and headers of a response, as bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/http/message.hpp"

namespace aictl::http {

/// How the body of a response is framed, and whether the connection ends with it.
struct ResponseFraming {
  std::optional<uint64_t> length;  // Content-Length; none for a stream
  bool chunked = false;
  bool close = false;
  bool say_keep_alive = false;  // an HTTP/1.0 client has to be told
};

/// Appends the head with its empty line to `out`. Framing fields and Date of `headers` are left
/// out; names that are no tokens are dropped and control characters in values become spaces, so
/// that no handler can be made to write a second response.
void append_response_head(std::string& out, int status, const Headers& headers,
                          const ResponseFraming& framing, std::string_view date);

}  // namespace aictl::http
