// Backend: the operations of a decoder on a device. A forward pass is seven stages a layer loop
// calls in order; a stage is what a backend may fuse. The reference backend writes primitives only
// (see stage_defaults.hpp).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "core/base/result.hpp"
#include "core/tensor/batch.hpp"
#include "core/tensor/model_spec.hpp"

namespace aictl {

/// The stages of a forward pass, in call order. x is the residual stream, [rows, hidden], F32 in
/// every backend. q [rows, q_dim], k and v [rows, kv_dim], o [rows, q_dim], h [rows, ffn], logits
/// [logit_rows, vocab], hidden [hidden_rows, hidden]. Stages of one runner are called from one
/// thread, the engine's.
class StageOps {
 public:
  virtual ~StageOps() = default;
  virtual void begin(const StepBatch&) {}           // once a step
  virtual void embed(const StepBatch&, Act x) = 0;  // rows of the table
  virtual void qkv(int layer, const StepBatch&, Act x, Act q, Act k,
                   Act v) = 0;  // norm, linear (+bias)
  virtual void attend(int layer, const StepBatch&, Act q, Act k, Act v,
                      Act o) = 0;  // qk-norm, rope, append, attention
  virtual void attn_out(int layer, const StepBatch&, Act o, Act x) = 0;  // linear + residual
  virtual void ffn_in(int layer, const StepBatch&, Act x, Act h) = 0;    // norm, gate/up, silu*mul
  virtual void ffn_out(int layer, const StepBatch&, Act h, Act x) = 0;   // linear + residual
  virtual void head(const StepBatch&, Act x, Act logits, Act hidden) = 0;  // rows, norm, linear
};

/// The activations of a runner, allocated once for `max_rows`. Matrices a fused backend does not
/// need may be empty.
struct Workspace {
  Act x, q, k, v, o, h, logits, hidden;
};

/// Sizes fixed for the life of a runner; every pool is allocated at start.
struct RunnerOptions {
  int max_rows = 256;       // tokens in a step
  int max_logit_rows = 64;  // rows with logits in a step; hidden rows may be max_rows
  int kv_blocks = 64;       // of kKvBlockTokens tokens
};

/// A model on a device: weights, KV blocks, workspace. Used by one thread, the engine's.
class Runner {
 public:
  virtual ~Runner() = default;
  virtual StageOps& stages() = 0;
  virtual Workspace& workspace() = 0;  // host-readable logits and hidden after the head stage
  /// Copies the first `tokens` tokens of a KV block, all layers: a shared partial tail is copied on
  /// write.
  virtual void copy_block(int from, int to, int tokens) = 0;
  /// What the bytes of a KV block depend on besides model and tokens, in words: the backend, its
  /// arithmetic, element type, order. Runners that say the same have the same bytes.
  virtual std::string kv_layout() const = 0;
  /// Copies a whole KV block to and from host memory, Backend::kv_block_bytes() of it.
  virtual void read_block(int block, std::span<std::byte> out) const = 0;
  virtual void write_block(int block, std::span<const std::byte> in) = 0;
  /// Bytes held for weights, KV and workspace, as allocated.
  virtual size_t weight_bytes() const = 0;
  virtual size_t kv_bytes() const = 0;
  virtual size_t workspace_bytes() const = 0;
};

struct BackendOptions {
  int threads = 0;  // 0: what the machine and its limits suggest
  std::string isa;  // force an instruction set; empty: the best one; AICTL_CPU_ISA does the same
};

struct BackendInfo {
  std::string name;    // "cpu"
  std::string isa;     // "avx512"
  std::string device;  // "AMD EPYC ..., 2 cores"
  int threads = 1;
  std::string placement = {};  // where its threads are, and why; empty: nothing to tell
};

/// Speed limits of the device, measured now.
struct Ceilings {
  double read_gbs = 0;    // bytes read by all threads, 1e9/s
  double int8_tops = 0;   // int8 multiply-adds counted as two, 1e12/s
  double f32_tflops = 0;  // f32 fused multiply-adds counted as two, 1e12/s
};

/// An extension point: plugins/backends/<name>.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual BackendInfo info() const = 0;
  /// Takes up to a few seconds and uses all threads.
  virtual Ceilings measure() = 0;
  /// Bytes one KV block of `spec` takes on this backend.
  virtual size_t kv_block_bytes(const ModelSpec& spec) const = 0;
  /// Loads weights and allocates pools. Errors: kUnsupported for a tensor type it cannot run,
  /// naming the tensor; kResourceExhausted when memory does not suffice. `source` must outlive the
  /// runner: a backend may run on the weights where they lie.
  virtual Result<std::unique_ptr<Runner>> load(const ModelSpec& spec, const TensorSource& source,
                                               const RunnerOptions& options) = 0;
};

}  // namespace aictl
