// Writes GGUF v3 files: for tests, for the built-in random model, for quantising.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/tensor/dtype.hpp"
#include "plugins/services/inference/load/gguf.hpp"

namespace aictl::inference {

/// Collects metadata and tensors, then gives the file's bytes. Nothing is checked: tests write
/// broken files with it.
class GgufWriter {
 public:
  explicit GgufWriter(uint32_t alignment = 32) : alignment_(alignment) {}

  void add_u32(std::string_view key, uint32_t value);
  void add_u64(std::string_view key, uint64_t value);
  void add_i32(std::string_view key, int32_t value);
  void add_f32(std::string_view key, float value);
  void add_bool(std::string_view key, bool value);
  void add_text(std::string_view key, std::string_view value);
  void add_texts(std::string_view key, std::span<const std::string> values);
  void add_floats(std::string_view key, std::span<const float> values);
  void add_ints(std::string_view key, std::span<const int32_t> values);
  /// Any type and payload, as the file spells it.
  void add_raw(std::string_view key, uint32_t type, std::string_view payload);

  /// `dims` in file order, fastest first; `bytes` are copied.
  void add_tensor(std::string_view name, std::vector<uint64_t> dims, uint32_t gguf_type,
                  std::string bytes);
  /// Encodes floats: a vector when `rows` is 0, else a matrix [rows, cols].
  void add_tensor(std::string_view name, int64_t rows, int64_t cols, DType type,
                  std::span<const float> values);

  /// The whole file.
  std::string bytes() const;
  /// Errors: kIo, kNotFound.
  Result<void> write(const std::filesystem::path& path) const;

 private:
  struct Tensor {
    std::string name;
    std::vector<uint64_t> dims;
    uint32_t type;
    std::string bytes;
  };
  void entry(std::string_view key, GgufValueType type);

  uint32_t alignment_;
  uint64_t entries_ = 0;
  std::string metadata_;
  std::vector<Tensor> tensors_;
};

}  // namespace aictl::inference
