// Incremental HTTP/1.1 response parser (RFC 9112) without I/O: the client's half of parser.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/http/framing/chunked.hpp"
#include "core/http/message.hpp"

namespace aictl::http {

/// Feed it bytes until complete() or failed(). Interim answers (1xx) are skipped. The outcome
/// depends on the bytes only, not on how they were cut. Not thread-safe.
class ResponseParser {
 public:
  using OnBody = std::function<void(std::string_view piece)>;

  /// Reads on, at most to the end of this response, and hands over the body as it comes, without
  /// chunk framing; returns how many bytes it took.
  size_t feed(std::string_view bytes, const OnBody& on_body);
  /// The connection has ended. A body without a length is complete by that; others are cut off.
  void on_end();
  /// Ready for the next response.
  void reset() { *this = ResponseParser(); }

  bool complete() const { return state_ == State::kComplete; }
  bool failed() const { return state_ == State::kFailed; }
  /// Whether a byte has come.
  bool started() const { return started_; }
  bool has_head() const { return state_ >= State::kLengthBody && state_ != State::kFailed; }
  /// Whether the connection serves another request, once complete().
  bool keep_alive() const { return keep_alive_; }
  int status() const { return status_; }
  const Headers& headers() const { return headers_; }
  /// What is wrong, once failed().
  const std::string& error() const { return error_; }

 private:
  enum class State {
    kStatusLine,
    kHeaders,
    kLengthBody,
    kChunkedBody,
    kBodyToEnd,
    kComplete,
    kFailed
  };

  void on_line();
  void on_status_line();
  void on_head();
  void fail(std::string why);

  State state_ = State::kStatusLine;
  bool started_ = false, keep_alive_ = true;
  int status_ = 0, minor_version_ = 1;
  std::string line_;
  size_t head_bytes_ = 0;
  uint64_t remaining_ = 0;
  ChunkedDecoder chunked_;
  std::string decoded_;
  Headers headers_;
  std::string error_;
};

}  // namespace aictl::http
