// What a model file says about itself, whatever its format: typed metadata and a table of tensors.
// The architectures read this; the file formats provide it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace aictl::inference {

/// A tensor of a model file. `dims[0]` varies fastest: a matrix [out, in] has dims {in, out}.
struct FileTensor {
  std::string_view name;
  std::array<uint64_t, 4> dims = {1, 1, 1, 1};
  int n_dims = 0;
  uint32_t gguf_type = 0;  // see gguf_type(); may be one we cannot decode
  const std::byte* data = nullptr;
  size_t bytes = 0;
};

/// Metadata by key. Integers of any width read alike; an array whose elements are all equal reads
/// as that one value (per-layer settings of a uniform model). Errors: kDataRefused for a missing key,
/// kDataRefused for a wrong type or range; each names file, key, what was found and what was
/// expected.
class Meta {
 public:
  virtual ~Meta() = default;
  /// The file, for messages.
  virtual std::string place() const = 0;
  virtual bool has(std::string_view key) const = 0;
  /// Elements of an array; 0 when there is no such array. To be asked before an array is read.
  virtual uint64_t count(std::string_view key) const = 0;
  virtual Result<int64_t> integer(std::string_view key, int64_t low, int64_t high) const = 0;
  /// Finite; integers read as numbers too.
  virtual Result<double> number(std::string_view key) const = 0;
  virtual Result<bool> boolean(std::string_view key) const = 0;
  virtual Result<std::string_view> text(std::string_view key) const = 0;
  virtual Result<std::vector<std::string_view>> texts(std::string_view key) const = 0;
  virtual Result<std::vector<float>> numbers(std::string_view key) const = 0;
  virtual Result<std::vector<int64_t>> integers(std::string_view key) const = 0;
  /// In the order of the file(s); no two have one name.
  virtual std::span<const FileTensor> tensors() const = 0;
  /// nullptr when there is no such tensor.
  virtual const FileTensor* tensor(std::string_view name) const = 0;

  /// The same with a default for a missing key; a wrong type is an error still.
  Result<int64_t> integer_or(std::string_view key, int64_t fallback, int64_t low,
                             int64_t high) const {
    return has(key) ? integer(key, low, high) : Result<int64_t>(fallback);
  }
  Result<double> number_or(std::string_view key, double fallback) const {
    return has(key) ? number(key) : Result<double>(fallback);
  }
  Result<bool> boolean_or(std::string_view key, bool fallback) const {
    return has(key) ? boolean(key) : Result<bool>(fallback);
  }
  Result<std::string_view> text_or(std::string_view key, std::string_view fallback) const {
    return has(key) ? text(key) : Result<std::string_view>(fallback);
  }
};

}  // namespace aictl::inference
