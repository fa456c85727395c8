// Binding this process to CPUs and memory nodes, and becoming another program.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/topology/bitset.hpp"

namespace aictl::topology {

enum class MemoryPolicy { kBind, kPrefer, kFree };

/// Binds the calling thread, and what it starts, to `cpus`, and its memory to `nodes` as `policy`
/// says (kFree or no nodes: not at all). Errors: kForbidden or kIo naming the set the kernel
/// refused.
Result<void> bind_process(const Bitset& cpus, const Bitset& nodes, MemoryPolicy policy);

/// Becomes the program `words[0]`, searched on PATH. Returns only when that fails: kNotFound when
/// there is no such program, kForbidden when it cannot be run.
Error become(std::vector<std::string> words);

}  // namespace aictl::topology
