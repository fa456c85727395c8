// The CPU backend: quantised tiles, kernels for each instruction set with the same bits, a team of
// threads placed on physical cores.
#pragma once

#include <memory>

#include "core/plugin/backend.hpp"
#include "core/plugin/plugins.hpp"

namespace aictl {

/// Chooses the instruction set: options.isa, else AICTL_CPU_ISA, else the best this machine has.
/// Errors: kInvalidArgument for an unknown one, kUnsupported for one this machine lacks.
Result<std::unique_ptr<Backend>> make_cpu_backend(const BackendOptions& options);

/// Adds the backend under the name "cpu".
void add_cpu_backend(Plugins& plugins);

}  // namespace aictl
