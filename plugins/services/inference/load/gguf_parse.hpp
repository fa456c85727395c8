// The byte level of GGUF: one pass over the header of one file, with every bound checked before it
// is used.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "plugins/services/inference/load/gguf.hpp"

namespace aictl::inference {

/// A name from a file, fit for a message: quoted, at most 80 characters, unprintable bytes as '?'.
std::string quoted(std::string_view name);

class GgufParser {
 public:
  GgufParser(std::span<const std::byte> bytes, std::string_view place)
      : bytes_(bytes), place_(place) {}

  /// Parses one file. Its parts are not looked for, its names not yet checked for duplicates.
  Result<Gguf> run();

 private:
  Result<void> header();
  Result<void> entry(uint64_t i);
  Result<GgufValue> value(std::string_view key, GgufValueType type);
  Result<GgufValue> array(std::string_view key);
  Result<void> skip_elements(std::string_view key, GgufValueType type, uint64_t count, int depth);
  Result<void> tensor_info(uint64_t i);
  Result<void> place_tensors();
  Result<void> check_overlaps() const;

  template <typename T>
  Result<T> read(std::string_view what);
  Result<std::string_view> string(std::string_view what, uint64_t longest);
  Error refuse(std::string_view what) const;
  size_t left() const { return bytes_.size() - at_; }

  std::span<const std::byte> bytes_;
  std::string_view place_;
  size_t at_ = 0;
  uint64_t tensor_count_ = 0, entry_count_ = 0, alignment_ = 32;
  std::vector<uint64_t> offsets_;  // of tensors, from the start of the data
  Gguf file_;
};

}  // namespace aictl::inference
