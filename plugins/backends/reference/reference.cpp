#include "plugins/backends/reference/reference.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <limits>
#include <vector>

#include <fmt/format.h>

#include "plugins/backends/reference/stages.hpp"

namespace aictl {
namespace {

using reference::KvBlocks;
using reference::Stages;

// A matrix of floats that owns its memory.
class Matrix {
 public:
  Matrix(int rows, int cols)
      : rows_(rows),
        cols_(cols),
        data_(static_cast<size_t>(rows) * static_cast<size_t>(cols),
              std::numeric_limits<float>::quiet_NaN()) {}  // what is read unwritten shows
  Act act() { return {data_.data(), DType::kF32, rows_, cols_, cols_}; }
  size_t bytes() const { return data_.size() * sizeof(float); }

 private:
  int rows_, cols_;
  std::vector<float> data_;
};

class ReferenceRunner final : public Runner {
 public:
  ReferenceRunner(const ModelSpec& spec, const TensorSource& source, const RunnerOptions& options)
      : spec_(spec),
        kv_(spec, options.kv_blocks),
        matrices_{{options.max_rows, spec.hidden},      {options.max_rows, spec.q_dim()},
                  {options.max_rows, spec.kv_dim()},    {options.max_rows, spec.kv_dim()},
                  {options.max_rows, spec.q_dim()},     {options.max_rows, spec.ffn},
                  {options.max_logit_rows, spec.vocab}, {options.max_rows, spec.hidden},
                  {options.max_rows, spec.hidden},      {options.max_rows, spec.hidden},
                  {options.max_rows, spec.ffn},         {options.max_logit_rows, spec.hidden}},
        workspace_{act(0), act(1), act(2), act(3), act(4), act(5), act(6), act(7)},
        stages_(spec_, source, kv_,
                {.normed = act(8), .projected = act(9), .up = act(10), .selected = act(11)}),
        weight_bytes_(sum_weights(spec, source)) {}

  StageOps& stages() override { return stages_; }
  Workspace& workspace() override { return workspace_; }
  void copy_block(int from, int to, int tokens) override { kv_.copy(from, to, tokens); }
  std::string kv_layout() const override { return "reference 1: f32 [layer][K, V][token][dim]"; }
  void read_block(int block, std::span<std::byte> out) const override { kv_.read(block, out); }
  void write_block(int block, std::span<const std::byte> in) override { kv_.write(block, in); }
  size_t weight_bytes() const override { return weight_bytes_; }
  size_t kv_bytes() const override { return kv_.bytes(); }
  size_t workspace_bytes() const override {
    size_t sum = 0;
    for (const Matrix& m : matrices_) sum += m.bytes();
    return sum;
  }

 private:
  Act act(size_t i) { return matrices_[i].act(); }

  static size_t sum_weights(const ModelSpec& spec, const TensorSource& source) {
    size_t sum = 0;
    auto count = [&](TensorId id) {
      const TensorView view = source.get(id);
      if (view.data) sum += static_cast<size_t>(view.rows) * view.row_bytes;
    };
    count({Slot::kEmbedding});
    count({Slot::kFinalNorm});
    if (!spec.tied_head) count({Slot::kHead});
    for (int layer = 0; layer < spec.n_layers; ++layer)
      for (int slot = static_cast<int>(Slot::kAttnNorm); slot <= static_cast<int>(Slot::kDown);
           ++slot)
        count({static_cast<Slot>(slot), layer});
    return sum;
  }

  ModelSpec spec_;
  KvBlocks kv_;
  std::vector<Matrix> matrices_;
  Workspace workspace_;
  Stages stages_;
  size_t weight_bytes_;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

class ReferenceBackend final : public Backend {
 public:
  BackendInfo info() const override {
    return {.name = "reference", .isa = "portable", .device = "one core, scalar", .threads = 1};
  }

  // The limits of what this backend uses: one core, plain loops.
  Ceilings measure() override {
    std::vector<uint64_t> memory(size_t{16} << 20, 1);  // 128 MiB, larger than caches
    volatile uint64_t kept = 0;                         // keeps the loops from being left out
    auto start = std::chrono::steady_clock::now();
    uint64_t sum = 0;
    for (uint64_t word : memory) sum += word;
    kept = sum;
    Ceilings ceilings;
    ceilings.read_gbs = static_cast<double>(memory.size()) * 8 / seconds_since(start) / 1e9;
    constexpr int64_t kSteps = int64_t{1} << 25;
    start = std::chrono::steady_clock::now();
    float a = 0, b = 1, c = 2, d = 3;
    for (int64_t i = 0; i < kSteps; ++i) {
      a = a * 0.5f + 1, b = b * 0.5f + 1, c = c * 0.5f + 1, d = d * 0.5f + 1;
    }
    kept = static_cast<uint64_t>(a + b + c + d);
    ceilings.f32_tflops = static_cast<double>(kSteps) * 8 / seconds_since(start) / 1e12;
    start = std::chrono::steady_clock::now();
    uint32_t w = 1, x = 2, y = 3, z = 4;
    for (int64_t i = 0; i < kSteps; ++i) {
      w = w * 5 + 1, x = x * 5 + 1, y = y * 5 + 1, z = z * 5 + 1;
    }
    kept = kept + w + x + y + z;
    ceilings.int8_tops = static_cast<double>(kSteps) * 8 / seconds_since(start) / 1e12;
    return ceilings;
  }

  size_t kv_block_bytes(const ModelSpec& spec) const override {
    return KvBlocks::block_bytes(spec);
  }

  Result<std::unique_ptr<Runner>> load(const ModelSpec& spec, const TensorSource& source,
                                       const RunnerOptions& options) override {
    try {  // the standard library's way to say that memory does not suffice
      return std::unique_ptr<Runner>(std::make_unique<ReferenceRunner>(spec, source, options));
    } catch (const std::exception&) {  // bad_alloc, length_error
      return Error{ErrorCode::kResourceExhausted,
                   fmt::format("no memory for {} KV blocks of {} bytes and {} rows",
                               options.kv_blocks, kv_block_bytes(spec), options.max_rows),
                   "use a smaller context or fewer sequences"};
    }
  }
};

}  // namespace

std::unique_ptr<Backend> make_reference_backend(const BackendOptions&) {
  return std::make_unique<ReferenceBackend>();
}

void add_reference_backend(Plugins& plugins) {
  plugins.backends.add("reference", "scalar and exact; the oracle of the tests",
                       [](const BackendOptions& options) -> Result<std::unique_ptr<Backend>> {
                         return make_reference_backend(options);
                       });
}

}  // namespace aictl
