#include "core/telemetry/log.hpp"

#include "core/base/utf8.hpp"

#include <atomic>

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace aictl::log {
namespace {

std::atomic<Level> threshold{Level::kInfo};

constexpr std::string_view kWords[] = {"error", "warn", "info", "debug"};
constexpr spdlog::level::level_enum kSpdlogLevels[] = {spdlog::level::err, spdlog::level::warn,
                                                       spdlog::level::info, spdlog::level::debug};
constexpr std::string_view kSecretKeys[] = {"authorization", "api_key", "x-api-key", "password",
                                            "secret",        "cookie",  "credential"};

// Made at the first line and never destroyed: other objects' destructors may log.
spdlog::logger& logger() {
  static spdlog::logger* const instance = [] {
    auto made = new spdlog::logger("aictl", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->set_level(spdlog::level::debug);
    made->flush_on(spdlog::level::debug);
    return made;
  }();
  return *instance;
}

bool is_plain(std::string_view value) {
  if (value.empty()) return false;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte == 0x7F || c == '"' || c == '\\' || c == '=') return false;
  }
  return utf8::is_valid(value);
}

void append_quoted(std::string& out, std::string_view value) {
  out += '"';
  for (const char c : utf8::sanitize(value)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out.append(1, '\\').append(1, c);
    else if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else if (byte < ' ' || byte == 0x7F)
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
    else
      out += c;
  }
  out += '"';
}

bool is_secret(std::string_view key) {
  for (const std::string_view secret : kSecretKeys)
    if (key == secret) return true;
  return false;
}

}  // namespace

Field::Field(std::string_view k, double v) : key(k), value(fmt::format("{:.6g}", v)) {}

void set_level(Level level) { threshold.store(level, std::memory_order_relaxed); }

Level level_for(int quiet, int verbose) {
  if (quiet > 0) return Level::kError;
  return verbose > 0 ? Level::kDebug : Level::kInfo;
}

bool enabled(Level level) { return level <= threshold.load(std::memory_order_relaxed); }

std::string format_line(Level level, std::string_view what, std::initializer_list<Field> fields) {
  std::string line(kWords[static_cast<size_t>(level)]);
  line += ' ';
  // What happened is ours, but may quote a message: it too must stay on the line.
  for (const char c : utf8::sanitize(what)) line += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  for (const Field& field : fields) {
    line.append(1, ' ').append(field.key).append(1, '=');
    if (is_secret(field.key))
      line += "***";
    else if (is_plain(field.value))
      line += field.value;
    else
      append_quoted(line, field.value);
  }
  return line;
}

void write(Level level, std::string_view what, std::initializer_list<Field> fields) {
  if (!enabled(level)) return;
  try {
    logger().log(kSpdlogLevels[static_cast<size_t>(level)], "{}", format_line(level, what, fields));
  } catch (const spdlog::spdlog_ex&) {  // stderr is gone: nobody is left to tell
  }
}

}  // namespace aictl::log
