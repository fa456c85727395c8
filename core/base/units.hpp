// Quantities as people write them: "16Gi", "512MB", "30s", "1h30m"; and the way back.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace aictl {

/// Bytes from "4096", "16Gi", "16GiB", "16G", "1.5GB" (Ki/Mi/Gi/Ti are powers of 1024, k/K/M/G/T
/// powers of 1000). Errors: kInvalidArgument on an unknown unit, a negative number or overflow.
Result<uint64_t> parse_bytes(std::string_view text);

/// Time from "250ms", "30s", "5m", "1h30m", "2d". A bare number is refused: the unit is part of the
/// value.
Result<std::chrono::nanoseconds> parse_duration(std::string_view text);

/// "1.2 GiB", "812 MiB", "17 B": three significant digits at most.
std::string format_bytes(uint64_t bytes);

/// "1.50s", "12.3ms", "1h05m": what a person reads at a glance.
std::string format_duration(std::chrono::nanoseconds duration);

}  // namespace aictl
