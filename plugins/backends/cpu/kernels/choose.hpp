// Which table of kernels runs: asked of the CPU once, or forced by name.
#pragma once

#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "plugins/backends/cpu/kernels/kernels.hpp"

namespace aictl::cpu {

/// The tables this machine can run, the best last.
std::vector<const Kernels*> supported_kernels();

/// The table called `name`; the best one for an empty name. Errors: kInvalidArgument for a name
/// nobody knows, kUnsupported for a set this machine lacks; both list the choices.
Result<const Kernels*> choose_kernels(std::string_view name);

}  // namespace aictl::cpu
