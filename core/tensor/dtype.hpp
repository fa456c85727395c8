// Element types and block formats. One table: a new format is a row here, a scalar dequantiser and
// quantiser in formats.cpp, and an unpacker in each fast backend.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace aictl {

enum class DType : uint8_t { kF32, kF16, kBF16, kI8, kI32, kQ8_0, kQ4_0, kQ4_K, kQ5_K, kQ6_K };

/// A row of the format table.
struct FormatInfo {
  DType type;
  std::string_view name;  // as GGUF spells it: "Q4_K"
  int gguf_id;            // type id in GGUF files
  int block;              // elements a block
  int bytes;              // bytes a block
};

/// The row of `type`. Every DType has one.
const FormatInfo& format(DType type);
std::span<const FormatInfo> formats();
std::optional<DType> dtype_from_gguf(uint32_t id);
std::optional<DType> dtype_from_name(std::string_view name);  // case-insensitive
/// A tensor type as GGUF files number them, also those we cannot decode: enough to bound a tensor.
struct GgufType {
  uint32_t id;
  std::string_view name;
  int block;  // elements a block
  int bytes;  // bytes a block
};
/// The row of a GGUF type id; nullptr when the id is unknown, withdrawn or of a fork.
const GgufType* gguf_type(uint32_t id);
/// The name GGUF gives a type id, also for types we cannot decode; empty when unknown.
std::string_view gguf_type_name(uint32_t id);

/// Bytes of a row of `cols` elements; `cols` is a multiple of the block.
inline size_t row_bytes(DType type, int64_t cols) {
  const FormatInfo& f = format(type);
  return static_cast<size_t>(cols / f.block) * static_cast<size_t>(f.bytes);
}

/// Decodes `cols` elements at `row` into `out`. Any bit pattern decodes without undefined
/// behaviour. Source: the GGUF block layouts.
void dequant_row(DType type, const std::byte* row, float* out, int64_t cols);

/// Encodes `cols` floats at `in` into a row of `type`. For tests and for making models.
void quant_row(DType type, const float* in, std::byte* row, int64_t cols);

/// Rows of elements in memory that somebody else owns. rows x cols, `row_bytes` from row to row.
struct TensorView {
  const std::byte* data = nullptr;
  DType type = DType::kF32;
  int64_t rows = 0, cols = 0;
  size_t row_bytes = 0;
};

}  // namespace aictl
