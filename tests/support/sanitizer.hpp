// Which sanitizer a test was built with, for tests whose whole extent would take it minutes.
#pragma once

namespace aictl::test {

/// The thread sanitizer looks for races and nothing else, at some fifty times the price of plain
/// arithmetic: under it a test keeps every thread and way through the code, and drops repetitions
/// that differ only in arithmetic.
#if defined(__SANITIZE_THREAD__)
inline constexpr bool kThreadSanitizer = true;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif
#else
inline constexpr bool kThreadSanitizer = false;
#endif

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kAddressSanitizer = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif
#else
inline constexpr bool kAddressSanitizer = false;
#endif

/// By how much a bound on time is stretched: what it guards against takes minutes, not twice.
inline constexpr double kPatience = kThreadSanitizer || kAddressSanitizer ? 10 : 1;

}  // namespace aictl::test
