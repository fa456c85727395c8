// DiskTier: the threads between an engine and its DiskStore. One reads what prompts wait for, one
// writes what sequences left behind, so that a step never waits for a file. What they hold in
// memory is bounded; what does not fit is not kept, which costs computing it again.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "core/base/channel.hpp"
#include "plugins/services/inference/kv/disk/store.hpp"

namespace aictl::inference {

/// Blocks that were read for a request.
struct ArrivedRun {
  uint64_t ticket = 0;
  int first = 0, count = 0;
  std::vector<std::byte> payload;
  bool last = false;    // nothing more comes for this ticket
  bool failed = false;  // it ends here, though more was expected
};

/// Functions are for one thread, the engine's, but for the const ones.
class DiskTier {
 public:
  /// `wake` is called by the threads, without a lock held, when there is something to do for the
  /// engine: a run arrived, the index is complete, there is room to save again. Starts the threads;
  /// the first thing the reader does is DiskStore::scan().
  DiskTier(std::unique_ptr<DiskStore> store, std::function<void()> wake);
  /// Writes what save() took, then ends the threads. Reading stops at once.
  ~DiskTier();

  /// Reads blocks `first` to `end` of `prefix`; they come by take_arrived() in order.
  void promote(uint64_t ticket, std::shared_ptr<const Prefix> prefix, int first, int end);
  std::optional<ArrivedRun> take_arrived();
  bool has_arrived() const;

  /// Whether save() would take `bytes`.
  bool has_room(size_t bytes) const;
  /// Hands blocks of `prefix`, from `first` on, to the writer. There must be room.
  void save(std::shared_ptr<const Prefix> prefix, int first, std::vector<std::byte> payload);
  /// Waits until all that was handed over is written or given up, or `until` has passed.
  bool wait_saved(Time until) const;

  /// Blocks in a run that is read or saved at once: a step can copy one without being felt.
  int run_blocks() const { return run_blocks_; }
  const DiskStore& store() const { return *store_; }
  /// Bytes a second, read and verified, lately; 0 before anything was read.
  double read_bandwidth() const { return bandwidth_.load(); }

 private:
  struct Reading {
    uint64_t ticket;
    std::shared_ptr<const Prefix> prefix;  // shared by the engine, which compares nothing with it
    int first, end;
  };
  struct Saving {
    std::shared_ptr<const Prefix> prefix;  // shared by all runs of one sequence
    int first;
    std::vector<std::byte> payload;
  };

  void read_all(std::stop_token stop);
  void read_one(const Reading& reading, std::stop_token stop);
  bool deliver(ArrivedRun run, std::stop_token stop);
  void write_all();

  const std::unique_ptr<DiskStore> store_;
  const std::function<void()> wake_;
  const int run_blocks_;
  std::atomic<double> bandwidth_{0};
  Channel<Reading> readings_;
  mutable std::mutex mutex_;  // guards all below
  mutable std::condition_variable_any changed_;
  std::deque<ArrivedRun> arrived_;
  size_t arrived_bytes_ = 0;
  std::deque<Saving> savings_;
  size_t saving_bytes_ = 0;  // queued or being written
  bool closing_ = false;     // the writer ends once there is nothing left
  std::jthread reader_, writer_;
};

}  // namespace aictl::inference
