#include "plugins/backends/cpu/cpu.hpp"

#include <cstdlib>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/nearest.hpp"
#include "plugins/backends/cpu/kernels/kernels.hpp"
#include "plugins/backends/cpu/measure.hpp"
#include "plugins/backends/cpu/runner/kv.hpp"
#include "plugins/backends/cpu/runner/runner.hpp"
#include "plugins/backends/cpu/team/placement.hpp"

namespace aictl {
namespace {

using cpu::Kernels;
using cpu::Placement;

struct Isa {
  const Kernels* kernels;
  bool supported;
};

// The best last.
std::vector<Isa> instruction_sets() {
  std::vector<Isa> sets{{&cpu::kScalarKernels, true}};
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("f16c");
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512vnni");
  sets.push_back({&cpu::kAvx2Kernels, avx2});
  sets.push_back({&cpu::kAvx512Kernels, avx2 && avx512});
#endif
  return sets;
}

Result<const Kernels*> choose_kernels(std::string_view name) {
  const std::vector<Isa> sets = instruction_sets();
  if (name.empty()) {
    const Kernels* best = sets.front().kernels;
    for (const Isa& set : sets)
      if (set.supported) best = set.kernels;
    return best;
  }
  std::vector<std::string_view> names;
  for (const Isa& set : sets)
    if (set.supported) names.push_back(set.kernels->isa);
  const std::string choices = fmt::format("this machine runs {}", fmt::join(names, ", "));
  for (const Isa& set : sets) {
    if (set.kernels->isa != name) continue;
    if (set.supported) return set.kernels;
    return Error{ErrorCode::kUnsupported,
                 fmt::format("this machine lacks the instruction set '{}'", name), choices};
  }
  return Error{ErrorCode::kInvalidArgument, fmt::format("no instruction set named '{}'", name),
               choices};
}

class CpuBackend final : public Backend {
 public:
  CpuBackend(const Kernels& kernels, Placement placement)
      : kernels_(kernels), placement_(std::move(placement)) {}

  BackendInfo info() const override {
    return {"cpu", std::string(kernels_.isa), placement_.device,
            static_cast<int>(placement_.cpus.size())};
  }
  Ceilings measure() override { return cpu::measure_ceilings(kernels_, placement_); }
  size_t kv_block_bytes(const ModelSpec& spec) const override {
    return cpu::KvPool::block_bytes(spec);
  }
  Result<std::unique_ptr<Runner>> load(const ModelSpec& spec, const TensorSource& source,
                                       const RunnerOptions& options) override {
    return cpu::make_runner(spec, source, options, kernels_, placement_);
  }

 private:
  const Kernels& kernels_;
  Placement placement_;
};

}  // namespace

Result<std::unique_ptr<Backend>> make_cpu_backend(const BackendOptions& options) {
  std::string isa = options.isa;
  if (const char* forced = std::getenv("AICTL_CPU_ISA"); isa.empty() && forced) isa = forced;
  auto kernels = choose_kernels(isa);
  if (!kernels) return kernels.error();
  auto placement = cpu::place_workers(options.threads);
  if (!placement) return placement.error();
  return std::unique_ptr<Backend>(
      std::make_unique<CpuBackend>(**kernels, std::move(*placement)));
}

void add_cpu_backend(Plugins& plugins) {
  plugins.backends.add("cpu", "quantised tiles, AVX-512 and AVX2 kernels, all physical cores",
                       make_cpu_backend);
}

}  // namespace aictl
