#include "plugins/backends/cpu/runner/runner.hpp"

#include <utility>

#include <fmt/format.h>

#include "plugins/backends/cpu/runner/stages.hpp"
#include "plugins/backends/cpu/weights/model.hpp"

namespace aictl::cpu {
namespace {

class CpuRunner final : public Runner {
 public:
  CpuRunner(const Placement& placement, const Kernels& kernels)
      : team_(placement), kernels_(kernels) {}

  Result<void> load(const ModelSpec& spec, const TensorSource& source,
                    const RunnerOptions& options) {
    auto model = Model::load(spec, source, team_);
    if (!model) return model.error();
    model_ = std::move(*model);
    auto kv = KvPool::make(spec, options.kv_blocks);
    if (!kv) return kv.error();
    kv_ = std::move(*kv);
    auto arena =
        Arena::make(matrix_bytes(spec, options) + Stages::bytes(spec, options, team_.size()));
    if (!arena) return arena.error().within("allocating activations");
    arena_ = std::move(*arena);
    stages_ = std::make_unique<Stages>(model_, kernels_, team_, kv_, arena_, options);
    const int rows = options.max_rows;
    workspace_.x = matrix(rows, spec.hidden);
    workspace_.q = matrix(rows, spec.q_dim());
    workspace_.k = matrix(rows, spec.kv_dim());
    workspace_.v = matrix(rows, spec.kv_dim());
    workspace_.o = matrix(rows, spec.q_dim());
    workspace_.hidden = matrix(rows, spec.hidden);
    workspace_.logits = matrix(options.max_logit_rows, spec.vocab);
    return {};
  }

  StageOps& stages() override { return *stages_; }
  Workspace& workspace() override { return workspace_; }
  void copy_block(int from, int to, int tokens) override { kv_.copy_block(from, to, tokens); }
  std::string kv_layout() const override { return kv_.layout(); }
  void read_block(int block, std::span<std::byte> out) const override {
    kv_.read_block(block, out);
  }
  void write_block(int block, std::span<const std::byte> in) override {
    kv_.write_block(block, in);
  }
  size_t weight_bytes() const override { return model_.arena.bytes(); }
  size_t kv_bytes() const override { return kv_.bytes(); }
  size_t workspace_bytes() const override { return arena_.bytes(); }

 private:
  static size_t matrix_bytes(const ModelSpec& spec, const RunnerOptions& options) {
    const auto one = [](int rows, int cols) {
      return Arena::taken(static_cast<size_t>(rows) * static_cast<size_t>(padded(cols)) *
                          sizeof(float));
    };
    const int rows = options.max_rows;
    return 2 * one(rows, spec.hidden) + 2 * one(rows, spec.q_dim()) + 2 * one(rows, spec.kv_dim()) +
           one(options.max_logit_rows, spec.vocab);
  }

  Act matrix(int rows, int cols) {
    const int ld = static_cast<int>(padded(cols));
    const size_t count = static_cast<size_t>(rows) * static_cast<size_t>(ld);
    return {arena_.take_array<float>(count), DType::kF32, rows, cols, ld};
  }

  Team team_;
  const Kernels& kernels_;
  Model model_;
  KvPool kv_;
  Arena arena_;
  std::unique_ptr<Stages> stages_;
  Workspace workspace_;
};

Result<void> check_shape(const ModelSpec& spec, const RunnerOptions& options) {
  const auto refuse = [](std::string message) {
    return Error{ErrorCode::kUnsupported, std::move(message), ""};
  };
  if (spec.n_kv_heads <= 0 || spec.n_heads <= 0 || spec.n_heads % spec.n_kv_heads != 0)
    return refuse(fmt::format("{} heads do not share {} KV heads", spec.n_heads, spec.n_kv_heads));
  if (spec.head_dim <= 0 || spec.rope.dims > spec.head_dim ||
      spec.rope.inv_freq.size() * 2 > static_cast<size_t>(spec.head_dim))
    return refuse(
        fmt::format("rope of {} dims does not fit heads of {}", spec.rope.dims, spec.head_dim));
  if (options.max_rows <= 0 || options.max_logit_rows <= 0 || options.kv_blocks <= 0)
    return Error{ErrorCode::kInvalidArgument, "a runner needs rows, logit rows and KV blocks", ""};
  return {};
}

}  // namespace

Result<std::unique_ptr<Runner>> make_runner(const ModelSpec& spec, const TensorSource& source,
                                            const RunnerOptions& options, const Kernels& kernels,
                                            const Placement& placement) {
  if (auto fits = check_shape(spec, options); !fits) return fits.error();
  auto runner = std::make_unique<CpuRunner>(placement, kernels);
  if (auto done = runner->load(spec, source, options); !done) return done.error();
  return std::unique_ptr<Runner>(std::move(runner));
}

}  // namespace aictl::cpu
