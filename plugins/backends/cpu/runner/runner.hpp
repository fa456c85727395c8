// A model on the CPU: weights, KV blocks, activations, its team of threads and its stages.
#pragma once

#include <memory>

#include "core/plugin/backend.hpp"
#include "plugins/backends/cpu/kernels/kernels.hpp"
#include "plugins/backends/cpu/team/placement.hpp"

namespace aictl::cpu {

/// Errors: as Backend::load.
Result<std::unique_ptr<Runner>> make_runner(const ModelSpec& spec, const TensorSource& source,
                                            const RunnerOptions& options, const Kernels& kernels,
                                            const Placement& placement);

}  // namespace aictl::cpu
