// Speed limits of the machine as the kernels meet them.
#pragma once

#include "core/plugin/backend.hpp"
#include "plugins/backends/cpu/kernels/kernels.hpp"
#include "plugins/backends/cpu/team/placement.hpp"

namespace aictl::cpu {

/// Best of several runs each, on all workers, about a second together. Errors: kResourceExhausted
/// is answered with a bandwidth of 0.
Ceilings measure_ceilings(const Kernels& kernels, const Placement& placement);

}  // namespace aictl::cpu
