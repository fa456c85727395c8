#include "plugins/backends/cpu/cpu.hpp"

#include "plugins/backends/cpu/kernels/choose.hpp"
#include "plugins/backends/cpu/measure.hpp"
#include "plugins/backends/cpu/runner/kv.hpp"
#include "plugins/backends/cpu/runner/runner.hpp"
#include "plugins/backends/cpu/team/placement.hpp"

#include <cstdlib>
#include <string>
#include <utility>

namespace aictl {
namespace {

using cpu::Kernels;
using cpu::Placement;

class CpuBackend final : public Backend {
 public:
  CpuBackend(const Kernels& kernels, Placement placement)
      : kernels_(kernels), placement_(std::move(placement)) {}

  BackendInfo info() const override {
    return {"cpu", std::string(kernels_.isa), placement_.device,
            static_cast<int>(placement_.cpus.size()), placement_.why};
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
  auto kernels = cpu::choose_kernels(isa);
  if (!kernels) return kernels.error();
  auto placement = cpu::place_workers(options.threads);
  if (!placement) return placement.error();
  return std::unique_ptr<Backend>(std::make_unique<CpuBackend>(**kernels, std::move(*placement)));
}

void add_cpu_backend(Plugins& plugins) {
  plugins.backends.add("cpu", "quantised tiles, AVX-512 and AVX2 kernels, all physical cores",
                       make_cpu_backend);
  plugins.variables.push_back({"AICTL_CPU_ISA",
                               "portable, avx2 or avx512: the instruction set of the cpu backend, "
                               "instead of the best one of this machine"});
}

}  // namespace aictl
