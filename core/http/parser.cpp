// The request parser: lines are gathered and judged whole, bodies pass in blocks.
#include "core/http/parser.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/http/framing/fields.hpp"

namespace aictl::http {
namespace {
constexpr size_t kMaxEmptyLines = 4;  // some old clients send CR LF after a body
constexpr size_t kFirstReserve = 1 << 20;
}  // namespace

size_t RequestParser::feed(std::string_view bytes) {
  size_t used = 0;
  while (used < bytes.size() && !complete() && !failed()) {
    switch (state_) {
      case State::kRequestLine:
        if (read_line(bytes, used, limits_.request_line, 414)) on_request_line();
        break;
      case State::kHeaders:
        if (read_line(bytes, used, limits_.header_line, 431)) on_header_line();
        break;
      case State::kLengthBody:
        feed_length_body(bytes, used);
        break;
      case State::kChunkedBody:
        feed_chunked_body(bytes, used);
        break;
      case State::kComplete:
      case State::kFailed:
        break;
    }
  }
  return used;
}

// Gathers a line into line_; true when it is there, without CR LF. The limit is checked on the
// bytes before the line's end, so that it does not matter how they were cut.
bool RequestParser::read_line(std::string_view bytes, size_t& used, size_t limit, int status) {
  const std::string_view rest = bytes.substr(used);
  const size_t end = rest.find('\n');
  const size_t length = std::min(end, rest.size());
  const bool ended = end != std::string_view::npos;
  // Room for the CR that belongs to the line's end.
  const size_t room = limit + 1 - std::min(line_.size(), limit + 1);
  if (length > room) {
    used += room + 1;
    fail(status, status == 414 ? "request line is too long" : "a header line is too long");
    return false;
  }
  line_.append(rest.substr(0, length));
  used += length + (ended ? 1 : 0);
  if (!ended) return false;
  if (line_.empty() || line_.back() != '\r') {
    fail(400, "lines must end with CR LF");
    return false;
  }
  line_.pop_back();
  return true;
}

void RequestParser::on_request_line() {
  if (line_.empty()) {
    if (++empty_lines_ > kMaxEmptyLines) fail(400, "empty lines instead of a request");
    return;
  }
  Framing framing = parse_request_line(line_, request_);
  if (framing.status != 0) return fail(framing.status, std::move(framing.message));
  line_.clear();
  state_ = State::kHeaders;
}

void RequestParser::on_header_line() {
  if (line_.empty()) return on_head();
  header_bytes_ += line_.size() + 2;
  if (header_bytes_ > limits_.header_bytes) return fail(431, "header fields are too long");
  if (request_.headers.size() >= limits_.header_count)
    return fail(431, fmt::format("more than {} header fields", limits_.header_count));
  Header field;
  if (auto wrong = parse_field(line_, field)) return fail(400, std::move(*wrong));
  request_.headers.add(std::move(field.name), std::move(field.value));
  line_.clear();
}

void RequestParser::on_head() {
  Framing framing = judge_head(request_, limits_.body_bytes);
  if (framing.status != 0) return fail(framing.status, std::move(framing.message));
  expects_continue_ = framing.expects_continue;
  if (framing.chunked) {
    chunked_.reset({limits_.body_bytes, limits_.chunk_overhead, limits_.trailer_bytes});
    state_ = State::kChunkedBody;
    return;
  }
  remaining_ = framing.length;
  // A promised length is not memory yet: what a client only claims is not reserved in full.
  request_.body.reserve(static_cast<size_t>(std::min<uint64_t>(remaining_, kFirstReserve)));
  state_ = remaining_ == 0 ? State::kComplete : State::kLengthBody;
}

void RequestParser::feed_length_body(std::string_view bytes, size_t& used) {
  const size_t take = static_cast<size_t>(std::min<uint64_t>(remaining_, bytes.size() - used));
  request_.body.append(bytes.substr(used, take));
  used += take;
  remaining_ -= take;
  if (remaining_ == 0) state_ = State::kComplete;
}

void RequestParser::feed_chunked_body(std::string_view bytes, size_t& used) {
  used += chunked_.feed(bytes.substr(used), request_.body);
  if (chunked_.failed()) return fail(chunked_.status(), chunked_.message());
  if (chunked_.done()) state_ = State::kComplete;
}

void RequestParser::fail(int status, std::string message) {
  state_ = State::kFailed;
  error_ = {status, std::move(message)};
}

Request RequestParser::take() {
  Request request = std::move(request_);
  *this = RequestParser(limits_);
  return request;
}

}  // namespace aictl::http
