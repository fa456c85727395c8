// Gguf: a GGUF model file, mapped and checked. Whatever the bytes say, opening ends in a file whose
// every string, array and tensor lies inside it, or in an error that names the key or tensor.
// Metadata stays where it is in the map, so a hostile header cannot make us allocate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/file.hpp"
#include "core/base/result.hpp"
#include "plugins/services/inference/spec/meta.hpp"

namespace aictl::inference {

/// Types of metadata values, numbered as in files.
enum class GgufValueType : uint32_t {
  kU8,
  kI8,
  kU16,
  kI16,
  kU32,
  kI32,
  kF32,
  kBool,
  kString,
  kArray,
  kU64,
  kI64,
  kF64,
};

/// "u32", "string", "array"; "type 77" cannot happen in a parsed file.
std::string_view name(GgufValueType type);
/// Bytes of one value; 0 for strings and arrays.
size_t width(GgufValueType type);

/// A metadata value, borrowed from the file.
struct GgufValue {
  GgufValueType type = GgufValueType::kU8;
  GgufValueType element = GgufValueType::kU8;  // of an array
  uint64_t count = 1;                          // elements of an array
  std::span<const std::byte> bytes = {};       // the payload; of a string, its characters

  /// "u32 7", "string 'llama'", "array of 512 strings": for messages and `model show`.
  std::string describe() const;
  /// nullopt when the value is of another type, or does not fit.
  std::optional<int64_t> as_integer() const;
  std::optional<double> as_number() const;
  std::optional<bool> as_boolean() const;
  std::optional<std::string_view> as_text() const;
};

struct GgufEntry {
  std::string_view key;
  GgufValue value;
};

class Gguf final : public Meta {
 public:
  /// Opens a file, and the other parts of a split one (`name-00001-of-0000N.gguf`, any part will
  /// do). Errors: kNotFound for a file that is not there, kIo; kDataRefused for anything malformed;
  /// kUnsupported for GGUF v1, big-endian files and types without a known layout.
  static Result<Gguf> open(const std::filesystem::path& path);
  /// The same over bytes that outlive the result. `place` stands for the file in messages.
  static Result<Gguf> parse(std::span<const std::byte> bytes, std::string_view place = "memory");

  uint32_t version() const { return version_; }
  /// In the order of the file; of a split file, of its first part.
  const std::vector<GgufEntry>& entries() const { return entries_; }
  /// nullptr when there is no such key.
  const GgufValue* find(std::string_view key) const;
  std::span<const FileTensor> tensors() const override { return tensors_; }
  const FileTensor* tensor(std::string_view name) const override;
  /// Of all parts.
  uint64_t file_bytes() const { return file_bytes_; }

  std::string place() const override { return place_; }
  bool has(std::string_view key) const override { return find(key) != nullptr; }
  uint64_t count(std::string_view key) const override;
  Result<int64_t> integer(std::string_view key, int64_t low, int64_t high) const override;
  Result<double> number(std::string_view key) const override;
  Result<bool> boolean(std::string_view key) const override;
  Result<std::string_view> text(std::string_view key) const override;
  Result<std::vector<std::string_view>> texts(std::string_view key) const override;
  Result<std::vector<float>> numbers(std::string_view key) const override;
  Result<std::vector<int64_t>> integers(std::string_view key) const override;

 private:
  friend class GgufParser;
  Result<const GgufValue*> require(std::string_view key) const;
  Result<const GgufValue*> require_array(std::string_view key) const;
  Error wrong(std::string_view key, const GgufValue& found, std::string_view expected) const;
  Result<void> join(Gguf part);
  Result<void> index();

  std::vector<MappedFile> maps_;  // a map does not move when its owner does
  std::string place_;
  uint32_t version_ = 0;
  uint64_t file_bytes_ = 0;
  std::vector<GgufEntry> entries_;
  std::vector<FileTensor> tensors_;
  std::vector<uint32_t> entry_order_, tensor_order_;  // indices sorted by name
};

}  // namespace aictl::inference
