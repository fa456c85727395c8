// Speed, section 7: what reading weights and cache, arithmetic and agreement cost a step.
#pragma once

#include <string>

#include "core/placement/cost/collective.hpp"
#include "core/placement/cost/fit.hpp"

namespace aictl::placement {

/// A decode step of one replica, in seconds; bytes and operations are of all its ranks.
struct DecodeStep {
  double read_bytes = 0;  // weights that are read, and the cache
  double read = 0, compute = 0, communication = 0, overhead = 0, hops = 0;
  std::string bound;  // "memory", "compute"

  double seconds() const {
    return (read > compute ? read : compute) + communication + overhead + hops;
  }
};

struct Prefill {
  double compute = 0, read = 0, communication = 0, hops = 0, overhead = 0;

  double seconds() const {
    return (compute > read ? compute : read) + communication + hops + overhead;
  }
};

/// What a replica stands on.
struct Ground {
  Device device;
  Fabric fabric;          // of one stage's ranks
  double hop_gbs = 12.5;  // between stages
  Engine engine = Engine::kAictl;
};

/// One step of `batch` sequences of `context` tokens on average.
DecodeStep decode_step(const ModelShape& shape, const Cut& cut, const Ground& ground, int batch,
                       double context, double kv_element);

/// A prompt of `tokens`.
Prefill prefill(const ModelShape& shape, const Cut& cut, const Ground& ground, int64_t tokens);

/// Section 7's rule for twice the ranks across sockets: decode seconds gained and lost by going
/// from `local` to `across`; worth it when gain > 1.25 * loss and an SLO needs it.
struct AcrossSockets {
  double gain = 0, loss = 0;
  bool worth() const { return gain > 1.25 * loss; }
};
AcrossSockets across_sockets(const ModelShape& shape, const Ground& local, int local_tp,
                             const Ground& across, int across_tp, int batch, double context,
                             double kv_element);

}  // namespace aictl::placement
