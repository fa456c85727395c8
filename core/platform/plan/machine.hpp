// The machines a platform is planned for: captures, this machine, or a node described in words.
#pragma once

#include "core/base/result.hpp"
#include "core/platform/plan/plan.hpp"

namespace aictl::platform {

/// A node as its pool's words say: cores in sockets, a memory node each, GPUs of the table with the
/// NVLinks of its row. Unset words take their defaults. Errors: kDataRefused for an unknown GPU.
Result<Topology> described_machine(const NodePool& pool);

/// What a node of the pool is, in a few words: "8 x H100 SXM, 72 cores, 1.25 TiB".
std::string machine_words(const Topology& topology);

/// GB/s at which weights come to a process: the slower of disk and network, as the spec says, the
/// machine shows, or is assumed; `words` tells which.
struct LoadRate {
  double bytes_per_second = 0;
  std::string words;
};
LoadRate load_rate(const Storage& storage, const Topology& topology);

}  // namespace aictl::platform
