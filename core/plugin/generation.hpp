// What is asked of an inference engine and what comes back, as plain data; and Generation, the one
// object an engine and the asker share while tokens are made.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/openai/sampling.hpp"
#include "core/tensor/model_spec.hpp"

namespace aictl {

/// Priorities are clamped to -kMaxPriority..kMaxPriority; higher goes first.
inline constexpr int kMaxPriority = 10;

struct GenerateRequest {
  std::vector<int32_t> prompt;  // at least one token
  SamplingParams sampling;
  int max_tokens = 0;                 // of each choice; 0, or too many: as the context holds
  int min_tokens = 0;                 // end tokens are banned before that many were made
  bool ignore_eos = false;            // the model's end tokens do not end it; stop_tokens still do
  std::vector<int32_t> stop_tokens;   // end it besides the model's own end tokens
  std::vector<int32_t> dry_breakers;  // ids whose text holds one of sampling.dry_sequence_breakers
  int n = 1;                          // choices from one prompt pass
  int priority = 0;
  std::string tenant;
  std::string cache_salt;       // prefixes are shared among requests of one tenant and salt
  bool reuse_prefix = true;     // false: the prompt is computed whole
  Time deadline = Time::max();  // finished as kDeadline when it passes
};

/// Asks for the pooled final hidden state of `tokens`, scaled to length 1.
struct EmbedRequest {
  std::vector<int32_t> tokens;  // at least one
  Pooling pooling = Pooling::kLast;
  int priority = 0;
  std::string tenant;
  Time deadline = Time::max();
};

struct TokenLogprob {
  int32_t id = -1;
  float logprob = 0;
};

/// A generated token. Logprobs are natural, of the raw logits; filled when
/// SamplingParams::logprobs >= 0.
struct TokenOut {
  int choice = 0;
  int32_t id = -1;
  float logprob = 0;
  std::vector<TokenLogprob> top;  // the most probable ones, by (logprob desc, id asc)
};

enum class FinishReason : uint8_t { kStop, kLength, kCancelled, kFailed, kDeadline };

/// Why (a part of) a prompt had to be computed.
enum class CacheMiss : uint8_t {
  kNone,        // less than a block was
  kUnknown,     // nobody has asked what begins so, or it is forgotten
  kSuffix,      // what is known ends there
  kShort,       // it is shorter than a block
  kOff,         // the server reuses nothing
  kNotWanted,   // the request wants nothing reused
  kFaster,      // it is on disk, and computing it takes less time than reading
  kUnreadable,  // it is on disk, and cannot be read
  kNoRoom,      // it is on disk, and memory is short
};

/// How long a choice took, and over what. A phase it never reached is zero.
struct GenerationTimings {
  Duration queued{};       // submit -> its first row was scheduled
  Duration prefill{};      // ... -> its first token
  Duration first_token{};  // submit -> its first token
  Duration decode{};       // first token -> end
  int prompt_tokens = 0;
  int cached_tokens = 0;  // of the prompt; computed for an earlier request and reused
  int disk_tokens = 0;    // of the cached ones: read from disk for it
  CacheMiss miss = CacheMiss::kNone;
  int generated_tokens = 0;  // as pushed; the token that ended it is not among them
  int parked = 0;            // times it gave up its memory and was computed again
};

/// The end of a choice.
struct Finished {
  FinishReason reason = FinishReason::kStop;
  int32_t stop_token = -1;  // the end or stop token it ended with, which is never pushed; else -1
  Error error;              // why, for kFailed
  GenerationTimings timings;
  std::vector<float> values;  // an embedding, or the logprobs of the vocabulary; else empty
};

/// One request in an engine. Shared (by shared_ptr) between the engine, which pushes, and the
/// asker, which drains; either may go away first: the asker's connection closes, or the engine is
/// destroyed, which finishes what it holds. Holds at most what was asked for (max_tokens a choice),
/// so a slow reader costs that much memory and no waiting. All functions are callable from any
/// thread unless they say otherwise.
class Generation {
 public:
  /// `wake` is called on the engine's thread after tokens or an end were pushed, and then not again
  /// until take() was called. It must not block and not throw; it may be empty.
  Generation(int choices, std::function<void()> wake)
      : wake_(std::move(wake)),
        wishes_(static_cast<size_t>(choices)),
        finished_(static_cast<size_t>(choices)) {}

  int choices() const { return static_cast<int>(finished_.size()); }

  /// The tokens pushed since the last take(), of all choices, each choice in order. Does not wait.
  std::vector<TokenOut> take() {
    std::lock_guard lock(mutex_);
    awake_ = false;
    return std::exchange(tokens_, {});
  }

  /// Its end, once it has ended; no token of `choice` is pushed after that. So a reader that was
  /// woken calls take(), then finished(), and if that is set take() once more for what came
  /// between.
  std::optional<Finished> finished(int choice = 0) const {
    std::lock_guard lock(mutex_);
    return finished_.at(static_cast<size_t>(choice));
  }

  /// Whether every choice has ended.
  bool done() const {
    std::lock_guard lock(mutex_);
    return ended_ == choices();
  }

  /// Waits until there is something to take or all has ended, or `until` has passed; returns
  /// whether there is. For those who have no event loop to wake.
  bool wait(Time until = Time::max()) const {
    std::unique_lock lock(mutex_);
    const auto ready = [this] { return !tokens_.empty() || ended_ == choices(); };
    if (until == Time::max()) return changed_.wait(lock, ready), true;
    return changed_.wait_until(lock, until, ready);
  }

  /// Waits until every choice has ended, or `until` has passed; returns whether they have.
  bool wait_done(Time until = Time::max()) const {
    std::unique_lock lock(mutex_);
    const auto ready = [this] { return ended_ == choices(); };
    if (until == Time::max()) return changed_.wait(lock, ready), true;
    return changed_.wait_until(lock, until, ready);
  }

  /// Ends it at the next step as kCancelled, also while it is queued. Idempotent.
  void cancel() {
    for (auto& wish : wishes_) wish.store(Wish::kCancel);
  }
  /// The same for one choice.
  void cancel(int choice) { wishes_.at(static_cast<size_t>(choice)).store(Wish::kCancel); }
  /// Ends a choice at the next step as kStop: its reader has what it wants, for it found a stop
  /// string. After a cancel() without effect.
  void stop(int choice) {
    Wish none = Wish::kNone;
    wishes_.at(static_cast<size_t>(choice)).compare_exchange_strong(none, Wish::kStop);
  }
  /// For the engine: how the asker wants `choice` to end now; nullopt when it does not.
  std::optional<FinishReason> end_requested(int choice) const {
    switch (wishes_.at(static_cast<size_t>(choice)).load(std::memory_order_relaxed)) {
      case Wish::kNone:
        break;
      case Wish::kStop:
        return FinishReason::kStop;
      case Wish::kCancel:
        return FinishReason::kCancelled;
    }
    return std::nullopt;
  }

  /// For the engine: appends a token; notify() tells the asker.
  void push(TokenOut token) {
    std::lock_guard lock(mutex_);
    tokens_.push_back(std::move(token));
  }

  /// For the engine: ends a choice that has not ended yet; notify() tells the asker.
  void finish(int choice, Finished end) {
    std::lock_guard lock(mutex_);
    auto& slot = finished_.at(static_cast<size_t>(choice));
    if (slot) return;
    slot = std::move(end);
    ++ended_;
  }

  /// For the engine: wakes the asker if something was pushed since it was last woken and has taken.
  void notify() {
    changed_.notify_all();
    {
      std::lock_guard lock(mutex_);
      if (awake_) return;
      awake_ = true;
    }
    if (wake_) wake_();
  }

 private:
  enum class Wish : uint8_t { kNone, kStop, kCancel };

  const std::function<void()> wake_;
  std::vector<std::atomic<Wish>> wishes_;  // one a choice
  mutable std::mutex mutex_;               // guards all below
  mutable std::condition_variable changed_;
  std::vector<TokenOut> tokens_;
  std::vector<std::optional<Finished>> finished_;  // one a choice
  int ended_ = 0;
  bool awake_ = false;  // woken and has not taken since
};

/// Counters and gauges of the KV cache on disk, a snapshot.
struct DiskCacheStats {
  bool on = false;
  uint64_t files = 0, bytes = 0;   // in its folder, of all models
  uint64_t blocks = 0;             // of this model, known
  uint64_t lookups = 0, hits = 0;  // prompts looked up; of them, begun from disk
  uint64_t promoted_tokens = 0, read_bytes = 0, written_bytes = 0;
  uint64_t evicted = 0;                           // files, to stay below the limit
  uint64_t dropped = 0, unwritten = 0;            // blocks not kept: late; runs: not written
  uint64_t damaged = 0, foreign = 0, unsafe = 0;  // files ignored, and why
  uint64_t gone = 0, unreadable = 0;
};

/// Counters and gauges of an engine, a snapshot.
struct EngineStats {
  int running = 0, waiting = 0, parked = 0;  // sequences; parked ones are among the waiting
  int waiting_limit = 0;
  int kv_blocks_used = 0, kv_blocks = 0;
  uint64_t requests = 0, refused = 0;  // accepted; turned away because the queue was full
  uint64_t prompt_tokens = 0, generated_tokens = 0,
           recomputed_tokens = 0;  // of prompts taken up; pushed; computed once more
  uint64_t reused_tokens = 0;      // of prompt_tokens: computed for an earlier request
  uint64_t drafted_tokens = 0, accepted_tokens = 0;  // guessed and checked; of those, right
  uint64_t parkings = 0, cancelled = 0, failed = 0, finished = 0;
  uint64_t steps = 0;
  Duration forward{}, sample{}, schedule{};  // summed over all steps
  Duration last_step{};
  Duration retry_after{};  // when a refused request should come again, from the measured rate
  bool draining = false;
  DiskCacheStats disk;
};

}  // namespace aictl
