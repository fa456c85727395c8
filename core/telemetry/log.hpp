// Log lines on stderr: `level what key=value ...`, one an event. error: someone must act; warn: it
// went on, but worse; info: starts, stops, changes; debug: the rest.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace aictl::log {

enum class Level : uint8_t { kError, kWarn, kInfo, kDebug };

/// A value is written bare when it is one plain word, else in double quotes with escapes, so that a
/// line stays a line whatever a client sent.
struct Field {
  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(v) {}
  Field(std::string_view k, bool v) : key(k), value(v ? "true" : "false") {}
  Field(std::string_view k, double v);
  template <std::integral T>
  Field(std::string_view k, T v) : key(k), value(std::to_string(v)) {}

  std::string_view key;
  std::string value;
};

/// What is written from now on: `level` and what is more severe. Starts at kInfo.
void set_level(Level level);
/// The level of so many -q and -v: errors only, info, debug.
Level level_for(int quiet, int verbose);
bool enabled(Level level);

/// Writes a line. Callable from any thread; lines do not mix.
void write(Level level, std::string_view what, std::initializer_list<Field> fields = {});
inline void error(std::string_view what, std::initializer_list<Field> fields = {}) {
  write(Level::kError, what, fields);
}
inline void warn(std::string_view what, std::initializer_list<Field> fields = {}) {
  write(Level::kWarn, what, fields);
}
inline void info(std::string_view what, std::initializer_list<Field> fields = {}) {
  write(Level::kInfo, what, fields);
}
inline void debug(std::string_view what, std::initializer_list<Field> fields = {}) {
  write(Level::kDebug, what, fields);
}

/// The line write() would write, without its end. Values under keys that name a secret
/// (authorization, api_key, password, secret, cookie ...) become ***.
std::string format_line(Level level, std::string_view what, std::initializer_list<Field> fields);

}  // namespace aictl::log
