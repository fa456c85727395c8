// Incremental, strict HTTP/1.1 request parser (RFC 9112) without I/O. Whatever two readers could
// take in two ways is refused: that is where request smuggling lives.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/http/framing/chunked.hpp"
#include "core/http/message.hpp"

namespace aictl::http {

struct ParserLimits {
  size_t request_line = 8192;       // bytes; over it 414
  size_t header_line = 16384;       // bytes of one field; over it 431
  size_t header_bytes = 65536;      // of all fields; over it 431
  size_t header_count = 128;        // fields; over it 431
  uint64_t body_bytes = 32u << 20;  // over it 413
  size_t trailer_bytes = 8192;      // of all trailer fields; over it 431
  size_t chunk_overhead = 1024;     // size and extensions of one chunk; over it 400
};

/// Why a request was refused: the status to answer, and a sentence for the client.
struct ParseError {
  int status = 0;  // 400, 413, 414, 417, 431, 501 or 505
  std::string message;
};

/// Feed it bytes until complete() or failed(); take() hands out the request and starts the next
/// one. The outcome depends on the bytes only, not on how they were cut. Not thread-safe.
class RequestParser {
 public:
  explicit RequestParser(const ParserLimits& limits) : limits_(limits) {}

  /// Reads on, at most to the end of this request; returns how many bytes it took. Takes nothing
  /// once complete or failed.
  size_t feed(std::string_view bytes);

  bool complete() const { return state_ == State::kComplete; }
  bool failed() const { return state_ == State::kFailed; }
  /// Whether a byte of the request has come (empty lines before it do not count).
  bool started() const { return state_ != State::kRequestLine || !line_.empty(); }
  /// Whether the headers are complete (the body may still be on its way).
  bool has_head() const { return state_ >= State::kLengthBody && state_ != State::kFailed; }
  /// Whether the client waits for "100 Continue" before it sends the body. Known with the head.
  bool expects_continue() const { return expects_continue_; }
  /// What came so far; complete once complete().
  const Request& request() const { return request_; }
  /// Only when failed().
  const ParseError& error() const { return error_; }

  /// The complete request; the parser is ready for the next one.
  Request take();

 private:
  enum class State { kRequestLine, kHeaders, kLengthBody, kChunkedBody, kComplete, kFailed };

  bool read_line(std::string_view bytes, size_t& used, size_t limit, int status);
  void on_request_line();
  void on_header_line();
  void on_head();
  void feed_length_body(std::string_view bytes, size_t& used);
  void feed_chunked_body(std::string_view bytes, size_t& used);
  void fail(int status, std::string message);

  ParserLimits limits_;
  State state_ = State::kRequestLine;
  std::string line_;  // the line being read, without its end
  size_t empty_lines_ = 0;
  size_t header_bytes_ = 0;
  uint64_t remaining_ = 0;  // of a body with Content-Length
  bool expects_continue_ = false;
  ChunkedDecoder chunked_;
  Request request_;
  ParseError error_;
};

}  // namespace aictl::http
