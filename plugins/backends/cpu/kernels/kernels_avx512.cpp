// Kernels for AVX-512 with VNNI. What the templates need of std and
// of the intrinsics is included before the target region, so that no inline function of theirs is
// compiled for a machine we may not be on.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <immintrin.h>

#include "core/tensor/batch.hpp"
#include "plugins/backends/cpu/kernels/kernels.hpp"
#include "plugins/backends/cpu/kernels/tile.hpp"

#ifdef __clang__
#pragma clang attribute push(                                                          \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,fma,f16c"))), \
    apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,fma,f16c")
#endif

#include "plugins/backends/cpu/kernels/table.hpp"
#include "plugins/backends/cpu/simd/avx512.hpp"

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

namespace aictl::cpu {

extern constinit const Kernels kAvx512Kernels = make_kernels<Avx512>("avx512");

}  // namespace aictl::cpu
