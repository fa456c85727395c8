// The chunked coding's state machine: sizes byte by byte, data in blocks.
#include "core/http/framing/chunked.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/http/framing/fields.hpp"
#include "core/http/message.hpp"

namespace aictl::http {

void ChunkedDecoder::reset(const Limits& limits) {
  *this = ChunkedDecoder();
  limits_ = limits;
}

void ChunkedDecoder::fail(int status, std::string message) {
  state_ = State::kFailed;
  status_ = status;
  message_ = std::move(message);
}

size_t ChunkedDecoder::feed(std::string_view bytes, std::string& body) {
  size_t i = 0;
  while (i < bytes.size() && !done() && !failed()) {
    if (state_ == State::kData) {
      const size_t take = static_cast<size_t>(std::min<uint64_t>(size_, bytes.size() - i));
      body.append(bytes.substr(i, take));
      i += take;
      size_ -= take;
      if (size_ == 0) state_ = State::kDataCr;
      continue;
    }
    const auto c = static_cast<unsigned char>(bytes[i++]);
    switch (state_) {
      case State::kSize:
        on_size(c);
        break;
      case State::kExtension:
        on_extension(c);
        break;
      case State::kSizeLf:
        if (c != '\n') return fail(400, "a chunk size line must end with CR LF"), i;
        on_size_end(body.size());
        break;
      case State::kDataCr:
        if (c != '\r') return fail(400, "a chunk is longer than its size says"), i;
        state_ = State::kDataLf;
        break;
      case State::kDataLf:
        if (c != '\n') return fail(400, "chunk data must end with CR LF"), i;
        state_ = State::kSize;
        break;
      case State::kTrailer:
        on_trailer(c);
        break;
      case State::kTrailerLf:
        if (c != '\n') return fail(400, "a trailer field must end with CR LF"), i;
        on_trailer_line();
        break;
      default:
        break;
    }
  }
  return i;
}

void ChunkedDecoder::on_size(unsigned char c) {
  int digit = -1;
  if (c >= '0' && c <= '9') digit = c - '0';
  if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') digit = (c | 0x20) - 'a' + 10;
  if (digit >= 0) {
    if (size_ > (std::numeric_limits<uint64_t>::max() >> 4))
      return fail(413, "chunk size overflows");
    if (++overhead_ > limits_.overhead) return fail(400, "chunk size line is too long");
    size_ = size_ * 16 + static_cast<uint64_t>(digit);
    ++digits_;
  } else if (digits_ == 0) {
    fail(400, "a chunk must begin with its size in hexadecimal digits");
  } else if (c == '\r') {
    state_ = State::kSizeLf;
  } else if (c == ';') {
    state_ = State::kExtension;
  } else {
    fail(400, "a chunk size is followed by ';' or CR LF");
  }
}

// Extensions are skipped, but their quoting is followed: a quoted string must not hide a line end
// from another reader.
void ChunkedDecoder::on_extension(unsigned char c) {
  if (++overhead_ > limits_.overhead) return fail(400, "chunk extensions are too long");
  if (c == '\r' && !quoted_) {
    state_ = State::kSizeLf;
  } else if ((c < 0x20 && c != '\t') || c == 0x7f) {
    fail(400, "control character in a chunk extension");
  } else if (quoted_) {
    if (!escaped_ && c == '"') quoted_ = false;
    escaped_ = !escaped_ && c == '\\';
  } else if (c == '"') {
    quoted_ = true;
  }
}

void ChunkedDecoder::on_size_end(uint64_t body_so_far) {
  if (size_ > limits_.body || body_so_far > limits_.body - size_)
    return fail(413, fmt::format("body is longer than the limit of {} bytes", limits_.body));
  state_ = size_ == 0 ? State::kTrailer : State::kData;
  digits_ = 0;
  overhead_ = 0;
}

void ChunkedDecoder::on_trailer(unsigned char c) {
  if (c == '\r') {
    state_ = State::kTrailerLf;
    return;
  }
  if (++trailer_bytes_ > limits_.trailers) return fail(431, "trailer fields are too long");
  if (c == '\n') return fail(400, "a trailer field must end with CR LF");
  trailer_.push_back(static_cast<char>(c));
}

void ChunkedDecoder::on_trailer_line() {
  if (trailer_.empty()) {
    state_ = State::kDone;
    return;
  }
  Header ignored;
  if (const auto wrong = parse_field(trailer_, ignored)) return fail(400, "trailer: " + *wrong);
  trailer_.clear();
  state_ = State::kTrailer;
}

}  // namespace aictl::http
