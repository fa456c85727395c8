// Root: bounded reads of small files under "/" or under a captured root, where links stay inside.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/file.hpp"
#include "core/topology/bitset.hpp"

namespace aictl::sysfs {

/// Paths are relative: "sys/class/net". What cannot be read is absent, never an error: sysfs hides
/// files from containers and from ordinary users. Nothing here blocks on a pipe or a device.
class Root {
 public:
  static constexpr size_t kMaxFile = size_t{64} << 10;
  static constexpr size_t kMaxNames = 16384;

  /// Errors: kNotFound, kIo; kDataRefused when `folder` is not a folder.
  static Result<Root> open(const std::filesystem::path& folder);

  /// Whether this is the machine we run on.
  bool live() const { return live_; }

  /// A file without blanks at its ends, valid UTF-8. nullopt: unreadable or above kMaxFile.
  std::optional<std::string> text(const std::string& path) const;
  /// The same, "" when absent.
  std::string word(const std::string& path) const { return text(path).value_or(""); }
  /// The lines of a file; a file above `limit` is cut there.
  std::vector<std::string> lines(const std::string& path, size_t limit = kMaxFile) const;
  /// The bytes of a file as they are.
  std::optional<std::string> bytes(const std::string& path, size_t limit = kMaxFile) const;
  /// A decimal number, or one after 0x. nullopt when the file holds something else.
  std::optional<int64_t> number(const std::string& path) const;
  /// "0-3,8". nullopt when it does not read; the empty set for an empty file.
  std::optional<topology::Bitset> set(const std::string& path) const;
  bool exists(const std::string& path) const;
  /// The names in a folder, sorted, at most kMaxNames.
  std::vector<std::string> names(const std::string& path) const;
  /// Where a symbolic link points, as written; "" when it is none.
  std::string link(const std::string& path) const;

 private:
  Root(Fd folder, bool live) : folder_(std::move(folder)), live_(live) {}
  Fd open_at(const std::string& path, int flags) const;

  Fd folder_;
  bool live_ = false;
};

/// The whole of `text` as a number: decimal, or hexadecimal after 0x.
std::optional<int64_t> parse_number(std::string_view text);
/// `text` without blanks at its ends.
std::string_view trimmed(std::string_view text);
/// The parts of `text` between runs of blanks.
std::vector<std::string_view> words_of(std::string_view text);

}  // namespace aictl::sysfs
