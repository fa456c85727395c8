#include "plugins/backends/cpu/kernels/choose.hpp"

#include <cpuid.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace aictl::cpu {
namespace {

struct Isa {
  const Kernels* kernels;
  bool supported;
};

// Leaf 1 of cpuid; clang 14 knows no "f16c" in __builtin_cpu_supports.
bool has_f16c() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}

// The best last.
std::vector<Isa> instruction_sets() {
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512vnni");
  return {{&kScalarKernels, true}, {&kAvx2Kernels, avx2}, {&kAvx512Kernels, avx2 && avx512}};
}

}  // namespace

std::vector<const Kernels*> supported_kernels() {
  std::vector<const Kernels*> kernels;
  for (const Isa& set : instruction_sets())
    if (set.supported) kernels.push_back(set.kernels);
  return kernels;
}

Result<const Kernels*> choose_kernels(std::string_view name) {
  const std::vector<const Kernels*> supported = supported_kernels();
  if (name.empty()) return supported.back();
  std::vector<std::string_view> names;
  for (const Kernels* kernels : supported) {
    if (kernels->isa == name) return kernels;
    names.push_back(kernels->isa);
  }
  const std::string choices = fmt::format("this machine runs {}", fmt::join(names, ", "));
  for (const Isa& set : instruction_sets())
    if (set.kernels->isa == name)
      return Error{ErrorCode::kUnsupported,
                   fmt::format("this machine lacks the instruction set '{}'", name), choices};
  return Error{ErrorCode::kInvalidArgument, fmt::format("no instruction set named '{}'", name),
               choices};
}

}  // namespace aictl::cpu
