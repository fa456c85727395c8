// Tiering: an engine's side of its disk tier, on the engine's thread and between steps only. Which
// prompts wait for blocks that are being read, and which sequences' blocks are still to be kept.
//
// The tiers are device and disk. A tier of host memory between them belongs to backends whose
// device has a memory of its own; the CPU's blocks lie in host memory already.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "core/plugin/backend.hpp"
#include "plugins/services/inference/kv/disk/tier.hpp"
#include "plugins/services/inference/sched/scheduler.hpp"

namespace aictl::inference {

/// Whether reading `bytes` takes less time than computing `tokens`. A rate of 0 is not known yet:
/// then it is tried, for how else would it become known.
bool worth_reading(uint64_t bytes, double bytes_per_second, int tokens, double tokens_per_second);

class Tiering {
 public:
  using Ticket = uint64_t;
  struct Promoted {
    int tokens = 0;                    // that were read for the prompt
    CacheMiss why = CacheMiss::kNone;  // not more
  };

  /// `wake` gets the engine's thread to call step(). Scheduler and runner outlive this.
  Tiering(std::unique_ptr<DiskStore> store, std::function<void()> wake, Scheduler& scheduler,
          Runner& runner, const Clock& clock);

  /// Looks a prompt up. A ticket other than 0: what it begins with is being read, and it should
  /// not be submitted before done(ticket).
  Ticket look_up(const SequenceRequest& request);
  bool done(Ticket ticket) const;
  /// Ends the wait, also before it is done.
  Promoted take(Ticket ticket);

  /// The computed blocks of a sequence that ends are to be kept.
  void keep(const Sequence& s);
  /// A step computed `rows` positions in `took`: how fast prompts are.
  void observe(int rows, Duration took);

  /// Puts what was read where prompts find it and hands to the writer what is to be kept; while
  /// there is other work only for as long as a step does not feel it.
  void step(bool busy);
  /// Whether step() could do something now.
  bool has_work() const;
  /// Keeps what is still to be kept. Returns at `until` at the latest.
  void flush(Time until);

  DiskCacheStats stats() const;

 private:
  struct Waiting {
    std::shared_ptr<const Prefix> prefix;  // shared with the reader
    int known = 0;                         // blocks that were in memory already
    int reached = 0;
    bool decided = false;  // the index was complete when it was looked up
    bool done = false;
    CacheMiss why = CacheMiss::kNone;
  };
  struct Keeping {
    std::shared_ptr<const Prefix> prefix;  // shared with the writer
    int next = 0;
  };

  void decide(Ticket ticket, Waiting& waiting);
  size_t install(const ArrivedRun& run);
  size_t keep_next();

  Scheduler& scheduler_;
  Runner& runner_;
  const Clock& clock_;
  const size_t block_bytes_;
  std::map<Ticket, Waiting> waiting_;
  std::deque<Keeping> keeping_;
  Ticket last_ticket_ = 0;
  double prefill_rate_ = 0;  // tokens a second
  DiskCacheStats counted_;   // what this thread counts
  DiskTier tier_;            // last: its threads end first
};

}  // namespace aictl::inference
