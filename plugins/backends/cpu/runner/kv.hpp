// KV blocks in memory: pool[block][layer][kv head][K tile, V tile], of f16 or, after
// ModelSpec::kv_type, f32. A K tile is [head_dim][64 tokens], a V tile [64 tokens][padded
// head_dim].
#pragma once

#include <span>
#include <string>

#include "core/base/result.hpp"
#include "core/tensor/batch.hpp"
#include "core/tensor/model_spec.hpp"
#include "plugins/backends/cpu/kernels/kernels.hpp"
#include "plugins/backends/cpu/team/arena.hpp"

namespace aictl::cpu {

class KvPool {
 public:
  /// Errors: kResourceExhausted.
  static Result<KvPool> make(const ModelSpec& spec, int blocks);
  static size_t block_bytes(const ModelSpec& spec);

  /// Writes one token's key (or value) of a head, head_dim floats padded with zeros to padded_dim.
  void put_key(const Kernels& kernels, const float* key, int block, int layer, int head, int slot);
  void put_value(const Kernels& kernels, const float* value, int block, int layer, int head,
                 int slot);
  /// Copies the first `tokens` tokens of a block, all layers and heads.
  void copy_block(int from, int to, int tokens);
  /// A whole block, block_bytes().
  void read_block(int index, std::span<std::byte> out) const;
  void write_block(int index, std::span<const std::byte> in);
  /// See Runner::kv_layout. Instruction sets are not in it: they agree bit for bit.
  std::string layout() const;

  const std::byte* data() const { return data_; }
  size_t block_bytes() const { return block_bytes_; }
  size_t key_offset(int layer, int head) const;
  size_t value_offset(int layer, int head) const { return key_offset(layer, head) + key_bytes_; }
  int padded_dim() const { return padded_dim_; }
  bool is_f32() const { return element_bytes_ == sizeof(float); }
  size_t bytes() const { return arena_.bytes(); }

 private:
  std::byte* block(int index) const { return data_ + static_cast<size_t>(index) * block_bytes_; }

  Arena arena_;
  std::byte* data_ = nullptr;
  int layers_ = 0, heads_ = 0, head_dim_ = 0, padded_dim_ = 0;
  size_t element_bytes_ = sizeof(uint16_t);
  size_t key_bytes_ = 0, value_bytes_ = 0, block_bytes_ = 0;
};

}  // namespace aictl::cpu
