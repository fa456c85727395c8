// W3C trace context: the `traceparent` header, read and written. Source: W3C Trace Context,
// level 1.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aictl {

struct TraceContext {
  std::array<uint8_t, 16> trace_id{};  // never all zero
  std::array<uint8_t, 8> span_id{};    // never all zero
  bool sampled = false;

  /// 32 lower-case hex digits.
  std::string trace_hex() const;
  /// The same trace with another span: what is sent on.
  TraceContext child(uint64_t span) const;
};

/// Reads "00-<32 hex>-<16 hex>-<2 hex>". nullopt for anything malformed, ids of zeros and version
/// ff; a later version is read by its first four fields, as the standard wants.
std::optional<TraceContext> parse_traceparent(std::string_view header);

std::string format_traceparent(const TraceContext& context);

/// A trace of our own from 192 random bits; zeros are avoided.
TraceContext make_trace(uint64_t high, uint64_t low, uint64_t span, bool sampled = false);

}  // namespace aictl
