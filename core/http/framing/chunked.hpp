// The chunked transfer coding (RFC 9112 section 7.1), read strictly and incrementally.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace aictl::http {

/// Sizes and extensions are bounded by `overhead` a chunk, trailer fields by `trailers` in all;
/// they are checked and dropped. Bare LF, signs, spaces before the size and overflow are refused.
class ChunkedDecoder {
 public:
  enum class State {
    kSize,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailer,
    kTrailerLf,
    kDone,
    kFailed
  };

  struct Limits {
    uint64_t body = 0;
    size_t overhead = 0;
    size_t trailers = 0;
  };

  /// Ready for a new body.
  void reset(const Limits& limits);
  /// Appends decoded bytes to `body`; returns how many of `bytes` it took: fewer only when done or
  /// failed.
  size_t feed(std::string_view bytes, std::string& body);

  bool done() const { return state_ == State::kDone; }
  bool failed() const { return state_ == State::kFailed; }
  /// Only when failed(): 400, 413 or 431, and why.
  int status() const { return status_; }
  const std::string& message() const { return message_; }

 private:
  void on_size(unsigned char c);
  void on_extension(unsigned char c);
  void on_size_end(uint64_t body_so_far);
  void on_trailer(unsigned char c);
  void on_trailer_line();
  void fail(int status, std::string message);

  Limits limits_;
  State state_ = State::kSize;
  uint64_t size_ = 0;  // of the chunk, then what remains of it
  size_t digits_ = 0;
  size_t overhead_ = 0;  // bytes of this chunk's size line
  bool quoted_ = false;  // inside a quoted extension value
  bool escaped_ = false;
  size_t trailer_bytes_ = 0;
  std::string trailer_;
  int status_ = 0;
  std::string message_;
};

}  // namespace aictl::http
