#include <doctest/doctest.h>

#include <unistd.h>
#include <filesystem>
#include <thread>

#include "core/base/channel.hpp"
#include "core/base/file.hpp"
#include "core/base/nearest.hpp"
#include "core/base/units.hpp"
#include "core/base/utf8.hpp"

using namespace aictl;

TEST_CASE("error: every code has an exit status scripts can rely on") {
  CHECK_EQ(faces(ErrorCode::kInvalidArgument).exit_status, 2);
  CHECK_EQ(faces(ErrorCode::kDataRefused).exit_status, 65);
  CHECK_EQ(faces(ErrorCode::kNotFound).exit_status, 69);
  CHECK_EQ(faces(ErrorCode::kResourceExhausted).http_status, 429);
}

TEST_CASE("error: context is put in front of the message") {
  const Error error = Error{ErrorCode::kIo, "disk full", ""}.within("writing x");
  CHECK_EQ(error.message, "writing x: disk full");
}

TEST_CASE("units: sizes and durations read as people write them") {
  CHECK_EQ(*parse_bytes("16Gi"), uint64_t{16} << 30);
  CHECK_EQ(*parse_bytes("1.5kB"), 1500);
  CHECK_FALSE(parse_bytes("16Q").ok());
  CHECK_FALSE(parse_bytes("-1").ok());
  CHECK_FALSE(parse_bytes("99999999999999Ti").ok());
  CHECK(*parse_duration("1h30m") == std::chrono::minutes(90));
  CHECK_FALSE(parse_duration("30").ok());
  CHECK_EQ(format_bytes(1536), "1.50 KiB");
  CHECK_EQ(format_bytes(999), "999 B");
}

TEST_CASE("utf8: invalid bytes are seen one by one and never swallow good ones") {
  CHECK(utf8::is_valid("grüße 🙂"));
  CHECK_FALSE(utf8::is_valid("\xC0\x80"));
  CHECK_FALSE(utf8::is_valid("\xED\xA0\x80"));
  CHECK_EQ(utf8::sanitize("a\xFFz"), "a\xEF\xBF\xBDz");
  CHECK_EQ(utf8::count("é🙂x"), 3);
  CHECK_EQ(utf8::complete_prefix("ab\xF0\x9F\x99"), 2);
  CHECK_EQ(utf8::complete_prefix("ab\xF0\x9F\x99\x82"), 6);
}

TEST_CASE("nearest: a slip of the fingers is recognised, another word is not") {
  const std::string_view words[] = {"least_loaded", "round_robin"};
  CHECK_EQ(nearest("least_load", words), "least_loaded");
  CHECK_EQ(nearest("zzz", words), "");
}

TEST_CASE("file: an atomic write replaces the whole content or nothing") {
  const auto folder =
      std::filesystem::temp_directory_path() / ("aictl-base-" + std::to_string(getpid()));
  const auto path = folder / "deep" / "a.txt";
  REQUIRE(write_file_atomically(path, "one").ok());
  REQUIRE(write_file_atomically(path, "two").ok());
  CHECK_EQ(*read_file(path), "two");
  CHECK_EQ(read_file(path, 2).error().code, ErrorCode::kTooLarge);
  CHECK_EQ(read_file(folder / "absent").error().code, ErrorCode::kNotFound);
  auto map = MappedFile::open(path);
  REQUIRE(map.ok());
  CHECK_EQ(map->bytes().size(), 3);
  CHECK_FALSE(MappedFile::open(folder).ok());
  std::filesystem::remove_all(folder);
}

TEST_CASE("channel: a full channel refuses, a closed one drains and ends") {
  Channel<int> channel(2);
  CHECK(channel.try_send(1));
  CHECK(channel.try_send(2));
  CHECK_FALSE(channel.try_send(3));
  std::jthread closer([&] { channel.close(); });
  CHECK_EQ(channel.receive(), 1);
  CHECK_EQ(channel.receive(), 2);
  CHECK_FALSE(channel.receive().has_value());
  CHECK_FALSE(channel.try_send(4));
}
