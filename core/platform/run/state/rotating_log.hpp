// RotatingLog: what a process printed, in a file that is renamed to .1, .2, ... when it is full;
// and the way to read it again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "core/base/file.hpp"
#include "core/base/result.hpp"

namespace aictl::platform {

class RotatingLog {
 public:
  /// Appends to `path`. At most `cap` bytes and a line a file, and `kept` older files beside it.
  /// Errors: kIo.
  static Result<RotatingLog> open(std::filesystem::path path, uint64_t cap, int kept);

  /// Appends a line and its end. A full disk loses the line, and nothing else.
  void write(std::string_view line);

 private:
  RotatingLog(std::filesystem::path path, uint64_t cap, int kept)
      : path_(std::move(path)), cap_(cap), kept_(kept) {}
  void rotate();

  std::filesystem::path path_;
  uint64_t cap_, size_ = 0;
  int kept_;
  Fd fd_;
};

/// Reads a log that is being written, through its rotations.
class LogReader {
 public:
  /// Errors: kNotFound, kIo.
  static Result<LogReader> open(std::filesystem::path path);

  /// Its last `lines` lines, older files included; all of them when negative. Called once, first.
  /// Errors: kIo, kTooLarge.
  Result<std::string> tail(int64_t lines);
  /// What was appended since; empty when nothing was.
  std::string more();

 private:
  explicit LogReader(std::filesystem::path path) : path_(std::move(path)) {}

  std::filesystem::path path_;
  Fd fd_;
};

}  // namespace aictl::platform
