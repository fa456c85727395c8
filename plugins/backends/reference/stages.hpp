// The primitives of the reference backend, and the KV blocks they keep.
#pragma once

#include <span>
#include <vector>

#include "core/plugin/stage_defaults.hpp"
#include "core/tensor/batch.hpp"
#include "core/tensor/model_spec.hpp"

namespace aictl::reference {

/// Keys and values of all blocks: [block][layer][K|V][token][kv_dim].
class KvBlocks {
 public:
  KvBlocks(const ModelSpec& spec, int blocks);
  float* key(int block, int layer, int slot) { return at(block, layer, 0, slot); }
  float* value(int block, int layer, int slot) { return at(block, layer, 1, slot); }
  void copy(int from, int to, int tokens);
  /// A whole block, block_bytes().
  void read(int block, std::span<std::byte> out) const;
  void write(int block, std::span<const std::byte> in);
  size_t bytes() const { return data_.size() * sizeof(float); }
  static size_t block_bytes(const ModelSpec& spec);

 private:
  float* at(int block, int layer, int kind, int slot);
  int blocks_, layers_;
  size_t row_;  // floats a token takes, of one kind and layer
  std::vector<float> data_;
};

class Stages final : public PrimitiveStages {
 public:
  /// Everything is borrowed and must outlive the stages.
  Stages(const ModelSpec& spec, const TensorSource& source, KvBlocks& kv,
         const StageScratch& scratch);

 protected:
  void gather_weights(TensorId table, std::span<const int32_t> rows, Act out) override;
  void gather(Act in, std::span<const int32_t> rows, Act out) override;
  void linear(TensorId weight, Act in, Act out) override;
  void add_bias(TensorId bias, Act inout) override;
  void rmsnorm(TensorId gain, Act in, int width, Act out) override;
  void rope(std::span<const int32_t> positions, Act inout) override;
  void kv_append(int layer, const StepBatch& batch, Act k, Act v) override;
  void attention(int layer, const StepBatch& batch, Act q, Act o) override;
  void act_mul(Act gate, Act up) override;
  void add(Act in, Act inout) override;

 private:
  void attend_row(int layer, std::span<const int32_t> table, int length, const float* q, float* o);
  const float* decoded(TensorId id, int64_t row);

  const TensorSource& source_;
  KvBlocks& kv_;
  std::vector<float> row_;      // one decoded row of a weight
  std::vector<double> scores_;  // of one head over a sequence
  std::vector<double> sums_;    // [head_dim]
};

}  // namespace aictl::reference
