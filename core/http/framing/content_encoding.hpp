// Content-Encoding of request bodies: gzip, deflate and zstd, with a bound on what comes out.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/http/message.hpp"

namespace aictl::http {

/// Undoes the codings named by `encoding` ("gzip", "zstd", "gzip, zstd"; at most two). Errors:
/// kUnsupported for an unknown coding, kDataRefused for bytes that are cut off or broken, kTooLarge
/// when more than `limit` bytes would come out (noticed before they do).
Result<std::string> decode_content(std::string_view encoding, std::string_view bytes, size_t limit);

/// What the Content-Encoding fields name, as one list; empty without one.
std::string content_encoding(const Headers& headers);

/// The status that tells a client of an error of decoding: 413, 415 or 400.
int decoding_status(const Error& error);

/// Decodes the body in place and removes its Content-Encoding header; does nothing without one.
Result<void> decode_body(Request& request, size_t limit);

}  // namespace aictl::http
