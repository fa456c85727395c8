#include "core/http/async/response_parser.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "core/http/framing/fields.hpp"

namespace aictl::http {
namespace {

constexpr size_t kMaxHead = 65536;
constexpr ChunkedDecoder::Limits kChunkLimits{std::numeric_limits<uint64_t>::max(), 4096, 65536};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

size_t ResponseParser::feed(std::string_view bytes, const OnBody& on_body) {
  size_t used = 0;
  started_ |= !bytes.empty();
  while (used < bytes.size() && !complete() && !failed()) {
    const std::string_view rest = bytes.substr(used);
    if (state_ == State::kStatusLine || state_ == State::kHeaders) {
      const size_t end = rest.find('\n');
      line_.append(rest.substr(0, end));
      used += end == rest.npos ? rest.size() : end + 1;
      if (head_bytes_ + line_.size() > kMaxHead)
        fail("the head of the response is too long");
      else if (end != rest.npos)
        on_line();
    } else if (state_ == State::kChunkedBody) {
      decoded_.clear();
      used += chunked_.feed(rest, decoded_);
      if (!decoded_.empty()) on_body(decoded_);
      if (chunked_.failed()) fail(chunked_.message());
      if (chunked_.done()) state_ = State::kComplete;
    } else {
      const bool bounded = state_ == State::kLengthBody;
      const std::string_view piece =
          bounded ? rest.substr(0, static_cast<size_t>(std::min<uint64_t>(rest.size(), remaining_)))
                  : rest;
      used += piece.size();
      on_body(piece);
      if (bounded && (remaining_ -= piece.size()) == 0) state_ = State::kComplete;
    }
  }
  return used;
}

void ResponseParser::on_end() {
  if (state_ == State::kBodyToEnd)
    state_ = State::kComplete;
  else if (!complete() && !failed())
    fail(has_head() ? "the response was cut off" : "the connection was closed without a response");
  keep_alive_ = false;
}

// A line of the head is there, without its LF. Servers that end lines with LF alone are understood:
// nothing is forwarded, so nothing can be smuggled.
void ResponseParser::on_line() {
  head_bytes_ += line_.size() + 1;
  if (line_.ends_with('\r')) line_.pop_back();
  if (state_ == State::kStatusLine) {
    on_status_line();
  } else if (line_.empty()) {
    on_head();
  } else {
    Header field;
    if (auto wrong = parse_field(line_, field)) return fail(std::move(*wrong));
    headers_.add(std::move(field.name), std::move(field.value));
  }
  line_.clear();
}

void ResponseParser::on_status_line() {
  const bool fits = line_.size() >= 12 && line_.starts_with("HTTP/1.") && is_digit(line_[7]) &&
                    line_[8] == ' ' && is_digit(line_[9]) && is_digit(line_[10]) &&
                    is_digit(line_[11]) && (line_.size() == 12 || line_[12] == ' ');
  if (!fits) return fail("the answer does not begin with an HTTP/1.x status line");
  minor_version_ = line_[7] - '0';
  status_ = (line_[9] - '0') * 100 + (line_[10] - '0') * 10 + (line_[11] - '0');
  state_ = State::kHeaders;
}

void ResponseParser::on_head() {
  if (status_ == 101 || status_ < 100) return fail("the status of the response makes no sense");
  if (status_ < 200) {
    headers_ = {};
    state_ = State::kStatusLine;
    return;
  }
  keep_alive_ = minor_version_ > 0 ? !headers_.has_token("connection", "close")
                                   : headers_.has_token("connection", "keep-alive");
  if (status_ == 204 || status_ == 304) {
    state_ = State::kComplete;
    return;
  }
  if (headers_.has_token("transfer-encoding", "chunked")) {
    chunked_.reset(kChunkLimits);
    state_ = State::kChunkedBody;
    return;
  }
  const auto length = headers_.get("content-length");
  if (!length) {
    keep_alive_ = false;
    state_ = State::kBodyToEnd;
    return;
  }
  const auto [end, wrong] =
      std::from_chars(length->data(), length->data() + length->size(), remaining_);
  if (wrong != std::errc() || end != length->data() + length->size())
    return fail("the Content-Length of the response is no number");
  state_ = remaining_ == 0 ? State::kComplete : State::kLengthBody;
}

void ResponseParser::fail(std::string why) {
  state_ = State::kFailed;
  keep_alive_ = false;
  error_ = std::move(why);
}

}  // namespace aictl::http
