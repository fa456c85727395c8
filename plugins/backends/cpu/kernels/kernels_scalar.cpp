// Kernels for any machine: the same templates over plain arrays.
#include "plugins/backends/cpu/kernels/table.hpp"
#include "plugins/backends/cpu/simd/scalar.hpp"

namespace aictl::cpu {

extern constinit const Kernels kScalarKernels = make_kernels<Scalar>("portable");

}  // namespace aictl::cpu
