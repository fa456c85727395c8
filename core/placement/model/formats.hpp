// Bits a weight takes, by the name of its format or mixture: section 6's table.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace aictl::placement {

/// A row: `bytes` for a block of `block` weights; a mixture has its mean in `bits` and no block.
struct WeightFormat {
  std::string_view name;
  int block = 0, bytes = 0;
  double bits = 0;

  double bits_per_weight() const { return block > 0 ? 8.0 * bytes / block : bits; }
};

std::span<const WeightFormat> weight_formats();

/// By name, in any case: "q4_k_m", "BF16". nullopt when there is no such format.
std::optional<double> bits_per_weight(std::string_view name);

/// Weights a block has, 1 when unknown: rows are cut at blocks only.
int quant_block(std::string_view name);

/// The table's spelling of `name`; empty when there is no such format.
std::string canonical_quant(std::string_view name);

/// Formats of fewer bits than `quant` in steps worth trying, the largest first.
std::span<const std::string_view> quant_ladder();

/// Bytes of an element of the KV cache: "f16" 2, "fp8" 1, "q8_0" 1.0625, "q4_0" 0.5625.
std::optional<double> kv_element_bytes(std::string_view name);

}  // namespace aictl::placement
