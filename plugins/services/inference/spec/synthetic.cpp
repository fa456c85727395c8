#include "plugins/services/inference/spec/synthetic.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>
#include <vector>

#include <fmt/format.h>

#include "core/base/file.hpp"
#include "core/base/nearest.hpp"

namespace aictl::inference {
namespace {

struct NamedShape {
  std::string_view name, arch;
  int layers, hidden, heads, kv_heads, head_dim, ffn, vocab, positions;
  RopeStyle rope;
  double base;
  bool bias, tied;
};

constexpr NamedShape kShapes[] = {
    {"l1", "llama", 16, 2048, 32, 8, 64, 8192, 128256, 131072, RopeStyle::kPair, 500000, false,
     true},
    {"l8", "llama", 32, 4096, 32, 8, 128, 14336, 128256, 131072, RopeStyle::kPair, 500000, false,
     false},
    {"0.5b", "qwen2", 24, 896, 14, 2, 64, 4864, 151936, 32768, RopeStyle::kHalf, 1000000, true,
     true},
};

ModelSpec spec_of(const NamedShape& shape) {
  ModelSpec spec;
  spec.arch = shape.arch;
  spec.name = fmt::format("synthetic {}", shape.name);
  spec.n_layers = shape.layers, spec.hidden = shape.hidden, spec.n_heads = shape.heads;
  spec.n_kv_heads = shape.kv_heads, spec.head_dim = shape.head_dim, spec.ffn = shape.ffn;
  spec.vocab = shape.vocab, spec.max_positions = shape.positions;
  spec.attn_scale = static_cast<float>(1 / std::sqrt(static_cast<double>(shape.head_dim)));
  spec.qkv_bias = shape.bias, spec.tied_head = shape.tied;
  spec.rope.style = shape.rope, spec.rope.dims = shape.head_dim;
  for (int i = 0; i < shape.head_dim / 2; ++i)
    spec.rope.inv_freq.push_back(std::pow(shape.base, -2.0 * i / shape.head_dim));
  return spec;
}

// Memory that shows the same pages over and over.
class RepeatedMemory {
 public:
  RepeatedMemory() = default;
  RepeatedMemory(const RepeatedMemory&) = delete;
  RepeatedMemory& operator=(const RepeatedMemory&) = delete;
  ~RepeatedMemory() {
    if (data_) ::munmap(data_, size_);
  }

  /// Maps `period` bytes (a multiple of the page size) until `bytes` are covered.
  Result<void> map(std::span<const std::byte> period, size_t bytes) {
    Fd fd(::memfd_create("synthetic", MFD_CLOEXEC));
    if (!fd) return errno_error("memfd_create", errno);
    for (size_t at = 0; at < period.size();) {
      const ssize_t n = ::write(fd.get(), period.data() + at, period.size() - at);
      if (n < 0 && errno != EINTR) return errno_error("writing synthetic weights", errno);
      if (n > 0) at += static_cast<size_t>(n);
    }
    const size_t size = (bytes + period.size() - 1) / period.size() * period.size();
    void* data = ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) return errno_error("reserving synthetic weights", errno);
    data_ = data, size_ = size;
    for (size_t at = 0; at < size; at += period.size())
      if (::mmap(static_cast<std::byte*>(data) + at, period.size(), PROT_READ,
                 MAP_SHARED | MAP_FIXED, fd.get(), 0) == MAP_FAILED)
        return errno_error("mapping synthetic weights", errno);
    return {};
  }

  const std::byte* data() const { return static_cast<const std::byte*>(data_); }

 private:
  void* data_ = nullptr;
  size_t size_ = 0;
};

// Blocks of `type` holding normally distributed values, a whole number of blocks and of pages.
std::vector<std::byte> random_blocks(DType type) {
  constexpr size_t kWanted = size_t{4} << 20;
  const size_t block = static_cast<size_t>(format(type).bytes);
  const size_t unit = std::lcm(block, static_cast<size_t>(::sysconf(_SC_PAGESIZE)));
  std::vector<std::byte> bytes((kWanted + unit - 1) / unit * unit);
  // A few thousand blocks are encoded with care; the rest are copies in random order.
  constexpr size_t kMade = 1024;
  const size_t elements = static_cast<size_t>(format(type).block);
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 0.02f);
  std::vector<float> values(kMade * elements);
  for (float& v : values) v = normal(random);
  std::vector<std::byte> made(kMade * block);
  quant_row(type, values.data(), made.data(), static_cast<int64_t>(values.size()));
  for (size_t at = 0; at < bytes.size(); at += block)
    std::memcpy(bytes.data() + at, made.data() + random() % kMade * block, block);
  return bytes;
}

}  // namespace

struct SyntheticModel::State {
  explicit State(ModelSpec s) : spec(std::move(s)), table(spec) {}
  ModelSpec spec;
  TensorTable table;
  RepeatedMemory matrices;
  std::vector<float> ones, zeros;  // norms and biases
};

Result<SyntheticModel> SyntheticModel::make(std::string_view shape_name, DType type) {
  std::vector<std::string_view> names;
  const NamedShape* shape = nullptr;
  for (const NamedShape& row : kShapes) {
    names.push_back(row.name);
    if (std::equal(row.name.begin(), row.name.end(), shape_name.begin(), shape_name.end(),
                   [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b + 32 : b); }))
      shape = &row;
  }
  if (!shape)
    return Error{ErrorCode::kNotFound, fmt::format("no synthetic shape named '{}'", shape_name),
                 fmt::format("there are {}", fmt::join(names, ", "))};
  auto state = std::make_unique<State>(spec_of(*shape));
  const ModelSpec& spec = state->spec;
  for (int cols : {spec.hidden, spec.q_dim(), spec.ffn})
    if (cols % format(type).block != 0)
      return Error{ErrorCode::kUnsupported,
                   fmt::format("rows of {} elements are no multiple of {}'s block of {}", cols,
                               format(type).name, format(type).block),
                   "use a type with blocks of 32, such as q8_0"};
  size_t largest = 0;
  for (TensorId id : tensors_of(spec)) {
    const TensorShape s = tensor_shape(spec, id.slot);
    if (!s.vector)
      largest = std::max(largest, static_cast<size_t>(s.rows) * row_bytes(type, s.cols));
  }
  if (auto done = state->matrices.map(random_blocks(type), largest); !done)
    return std::move(done).error();
  const size_t longest = static_cast<size_t>(std::max({spec.hidden, spec.q_dim(), spec.kv_dim()}));
  state->ones.assign(longest, 1.0f);
  state->zeros.assign(longest, 0.0f);
  for (TensorId id : tensors_of(spec)) {
    const TensorShape s = tensor_shape(spec, id.slot);
    const bool bias = id.slot == Slot::kQBias || id.slot == Slot::kKBias || id.slot == Slot::kVBias;
    const std::vector<float>& vector = bias ? state->zeros : state->ones;
    state->table.set(id, s.vector
                             ? TensorView{reinterpret_cast<const std::byte*>(vector.data()),
                                          DType::kF32, 1, s.cols, row_bytes(DType::kF32, s.cols)}
                             : TensorView{state->matrices.data(), type, s.rows, s.cols,
                                          row_bytes(type, s.cols)});
  }
  return SyntheticModel(std::move(state));
}

SyntheticModel::SyntheticModel(std::unique_ptr<State> state) : state_(std::move(state)) {}
SyntheticModel::SyntheticModel(SyntheticModel&&) noexcept = default;
SyntheticModel& SyntheticModel::operator=(SyntheticModel&&) noexcept = default;
SyntheticModel::~SyntheticModel() = default;

const ModelSpec& SyntheticModel::spec() const { return state_->spec; }
const TensorSource& SyntheticModel::tensors() const { return state_->table; }
uint64_t SyntheticModel::weight_bytes() const { return state_->table.bytes(); }

}  // namespace aictl::inference
