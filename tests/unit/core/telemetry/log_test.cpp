#include "core/telemetry/log.hpp"

#include <doctest/doctest.h>

using namespace aictl;

TEST_CASE("log: a line is level, what, then key=value") {
  CHECK(log::format_line(log::Level::kInfo, "model loaded",
                         {{"model", "tiny"}, {"bytes", 42}, {"share", 0.5}, {"warm", true}}) ==
        "info model loaded model=tiny bytes=42 share=0.5 warm=true");
}

TEST_CASE("log: values with blanks, quotes and line ends are quoted, so a line stays a line") {
  CHECK(log::format_line(log::Level::kWarn, "odd", {{"v", "a b"}}) == "warn odd v=\"a b\"");
  CHECK(log::format_line(log::Level::kWarn, "odd", {{"v", "a\nerror forged"}}) ==
        "warn odd v=\"a\\nerror forged\"");
  CHECK(log::format_line(log::Level::kWarn, "odd", {{"v", "\"\\"}}) == "warn odd v=\"\\\"\\\\\"");
  CHECK(log::format_line(log::Level::kWarn, "odd", {{"v", ""}}) == "warn odd v=\"\"");
  CHECK(log::format_line(log::Level::kWarn, "odd", {{"v", "k=v"}}) == "warn odd v=\"k=v\"");
  CHECK(log::format_line(log::Level::kWarn, "odd", {{"v", "\x1B[31m"}}) ==
        "warn odd v=\"\\x1b[31m\"");
  CHECK(log::format_line(log::Level::kWarn, "odd", {{"v", "\xFF"}}) ==
        "warn odd v=\"\xEF\xBF\xBD\"");
  CHECK(log::format_line(log::Level::kWarn, "two\nlines", {}) == "warn two lines");
}

TEST_CASE("log: secrets are never written") {
  for (const char* key : {"authorization", "api_key", "password", "cookie"})
    CHECK(log::format_line(log::Level::kError, "x", {{key, "sk-123"}}) ==
          std::string("error x ") + key + "=***");
}

TEST_CASE("log: -q keeps errors only, -v adds debug") {
  CHECK(log::level_for(0, 0) == log::Level::kInfo);
  CHECK(log::level_for(1, 0) == log::Level::kError);
  CHECK(log::level_for(1, 2) == log::Level::kError);
  CHECK(log::level_for(0, 1) == log::Level::kDebug);
  log::set_level(log::Level::kError);
  CHECK(log::enabled(log::Level::kError));
  CHECK_FALSE(log::enabled(log::Level::kWarn));
  log::set_level(log::Level::kInfo);
  CHECK(log::enabled(log::Level::kInfo));
  CHECK_FALSE(log::enabled(log::Level::kDebug));
}
