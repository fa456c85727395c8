#include "plugins/backends/cpu/runner/kv.hpp"

#include <cstring>
#include <limits>

#include <fmt/format.h>

#include "core/base/check.hpp"

namespace aictl::cpu {
namespace {

int padded_to_lanes(int dim) { return (dim + kLanes - 1) / kLanes * kLanes; }

// Of the arithmetic that ends in keys and values: raised with any change to their bits, so that
// what an older program left on disk is not mixed with it.
constexpr int kNumerics = 1;

constexpr int kMaxHeadDim = 1024;  // a head fits the stack as f16

size_t element_bytes(const ModelSpec& spec) { return row_bytes(spec.kv_type, 1); }

}  // namespace

size_t KvPool::block_bytes(const ModelSpec& spec) {
  const size_t dims = static_cast<size_t>(spec.head_dim + padded_to_lanes(spec.head_dim));
  return static_cast<size_t>(spec.n_layers) * static_cast<size_t>(spec.n_kv_heads) * dims *
         kKvBlockTokens * element_bytes(spec);
}

Result<KvPool> KvPool::make(const ModelSpec& spec, int blocks) {
  if (spec.head_dim > kMaxHeadDim)
    return Error{ErrorCode::kUnsupported, "heads of more than 1024 dims are not supported", ""};
  KvPool pool;
  pool.layers_ = spec.n_layers;
  pool.heads_ = spec.n_kv_heads;
  pool.head_dim_ = spec.head_dim;
  pool.padded_dim_ = padded_to_lanes(spec.head_dim);
  pool.element_bytes_ = element_bytes(spec);
  const size_t row = kKvBlockTokens * pool.element_bytes_;
  pool.key_bytes_ = static_cast<size_t>(pool.head_dim_) * row;
  pool.value_bytes_ = static_cast<size_t>(pool.padded_dim_) * row;
  pool.block_bytes_ = block_bytes(spec);
  const auto count = static_cast<size_t>(blocks);
  if (count > std::numeric_limits<size_t>::max() / 2 / pool.block_bytes_)
    return Error{ErrorCode::kResourceExhausted, "the KV pool is larger than memory",
                 "use fewer KV blocks"};
  auto arena = Arena::make(count * pool.block_bytes_);
  if (!arena) return std::move(arena).error().within("allocating KV blocks");
  pool.arena_ = std::move(*arena);
  pool.data_ = pool.arena_.take(count * pool.block_bytes_);
  return pool;
}

size_t KvPool::key_offset(int layer, int head) const {
  return static_cast<size_t>(layer * heads_ + head) * (key_bytes_ + value_bytes_);
}

void KvPool::put_key(const Kernels& kernels, const float* key, int index, int layer, int head,
                     int slot) {
  if (is_f32()) {
    auto* tile = reinterpret_cast<float*>(block(index) + key_offset(layer, head)) + slot;
    for (int d = 0; d < head_dim_; ++d) tile[d * kKvBlockTokens] = key[d];
    return;
  }
  alignas(kVector) uint16_t halves[kMaxHeadDim];
  kernels.to_f16(key, halves, padded_dim_);
  auto* tile = reinterpret_cast<uint16_t*>(block(index) + key_offset(layer, head)) + slot;
  for (int d = 0; d < head_dim_; ++d) tile[d * kKvBlockTokens] = halves[d];
}

void KvPool::put_value(const Kernels& kernels, const float* value, int index, int layer, int head,
                       int slot) {
  std::byte* values = block(index) + value_offset(layer, head);
  if (is_f32()) {
    std::memcpy(values + static_cast<size_t>(slot * padded_dim_) * sizeof(float), value,
                static_cast<size_t>(padded_dim_) * sizeof(float));
    return;
  }
  auto* tile = reinterpret_cast<uint16_t*>(values);
  kernels.to_f16(value, tile + slot * padded_dim_, padded_dim_);
}

void KvPool::copy_block(int from, int to, int tokens) {
  const auto count = static_cast<size_t>(tokens) * element_bytes_;
  for (int layer = 0; layer < layers_; ++layer) {
    for (int head = 0; head < heads_; ++head) {
      const size_t keys = key_offset(layer, head), values = value_offset(layer, head);
      for (int d = 0; d < head_dim_; ++d) {
        const size_t row = keys + static_cast<size_t>(d) * kKvBlockTokens * element_bytes_;
        std::memcpy(block(to) + row, block(from) + row, count);
      }
      std::memcpy(block(to) + values, block(from) + values,
                  count * static_cast<size_t>(padded_dim_));
    }
  }
}

void KvPool::read_block(int index, std::span<std::byte> out) const {
  CHECK(out.size() == block_bytes_);
  std::memcpy(out.data(), block(index), block_bytes_);
}

void KvPool::write_block(int index, std::span<const std::byte> in) {
  CHECK(in.size() == block_bytes_);
  std::memcpy(block(index), in.data(), block_bytes_);
}

std::string KvPool::layout() const {
  return fmt::format("cpu {}: {} [layer][head][K [dim][token], V [token][{} dims]]", kNumerics,
                     is_f32() ? "f32" : "f16", padded_dim_);
}

}  // namespace aictl::cpu
