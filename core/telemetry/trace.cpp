#include "core/telemetry/trace.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace aictl {
namespace {

// Lower-case only: the standard forbids capitals here.
int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

template <size_t N>
bool read_hex(std::string_view text, std::array<uint8_t, N>& out) {
  for (size_t i = 0; i < N; ++i) {
    const int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<uint8_t>(high * 16 + low);
  }
  return true;
}

template <size_t N>
void append_hex(std::string& out, const std::array<uint8_t, N>& bytes) {
  for (const uint8_t byte : bytes) fmt::format_to(std::back_inserter(out), "{:02x}", byte);
}

template <size_t N>
bool is_zero(const std::array<uint8_t, N>& bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](uint8_t byte) { return byte == 0; });
}

void store(uint64_t value, uint8_t* out) {
  for (int i = 0; i < 8; ++i) out[i] = static_cast<uint8_t>(value >> (56 - 8 * i));
}

}  // namespace

std::string TraceContext::trace_hex() const {
  std::string out;
  append_hex(out, trace_id);
  return out;
}

TraceContext TraceContext::child(uint64_t span) const {
  TraceContext next = *this;
  store(span == 0 ? 1 : span, next.span_id.data());
  return next;
}

std::optional<TraceContext> parse_traceparent(std::string_view header) {
  constexpr size_t kLength = 55;
  if (header.size() < kLength) return std::nullopt;
  if (header[2] != '-' || header[35] != '-' || header[52] != '-') return std::nullopt;
  std::array<uint8_t, 1> version{}, flags{};
  TraceContext context;
  if (!read_hex(header.substr(0, 2), version) ||
      !read_hex(header.substr(3, 32), context.trace_id) ||
      !read_hex(header.substr(36, 16), context.span_id) || !read_hex(header.substr(53, 2), flags))
    return std::nullopt;
  if (version[0] == 0xFF || is_zero(context.trace_id) || is_zero(context.span_id))
    return std::nullopt;
  const bool longer = header.size() > kLength;
  if (longer && (version[0] == 0 || header[kLength] != '-')) return std::nullopt;
  context.sampled = flags[0] & 1;
  return context;
}

std::string format_traceparent(const TraceContext& context) {
  std::string out = "00-";
  append_hex(out, context.trace_id);
  out += '-';
  append_hex(out, context.span_id);
  out += context.sampled ? "-01" : "-00";
  return out;
}

TraceContext make_trace(uint64_t high, uint64_t low, uint64_t span, bool sampled) {
  TraceContext context;
  store(high, context.trace_id.data());
  store((high | low) == 0 ? 1 : low, context.trace_id.data() + 8);
  context.sampled = sampled;
  return context.child(span);
}

}  // namespace aictl
