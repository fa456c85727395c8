#include "plugins/services/inference/tiering.hpp"

#include <algorithm>
#include <utility>

#include "core/base/check.hpp"

namespace aictl::inference {
namespace {

constexpr size_t kInstallBytes = size_t{16} << 20;  // between two steps that others wait for
constexpr size_t kKeepBytes = size_t{8} << 20;
constexpr size_t kMostKeeping = 256;  // sequences whose blocks wait to be kept
constexpr int kPrefillRows = 64;      // a step of fewer rows says nothing of prompts

}  // namespace

bool worth_reading(uint64_t bytes, double bytes_per_second, int tokens, double tokens_per_second) {
  if (bytes_per_second <= 0 || tokens_per_second <= 0) return true;
  return static_cast<double>(bytes) / bytes_per_second < tokens / tokens_per_second;
}

Tiering::Tiering(std::unique_ptr<DiskStore> store, std::function<void()> wake, Scheduler& scheduler,
                 Runner& runner, const Clock& clock)
    : scheduler_(scheduler),
      runner_(runner),
      clock_(clock),
      block_bytes_(store->signature().block_bytes),
      tier_(std::move(store), std::move(wake)) {}

Tiering::Ticket Tiering::look_up(const SequenceRequest& request) {
  // The last position is always computed, for its logits.
  const auto whole = (static_cast<int>(request.prompt.size()) - 1) / kKvBlockTokens;
  if (!request.reuse || request.kind == SequenceKind::kEmbed || whole < 1) return 0;
  const std::span<const int32_t> tokens(request.prompt);
  Waiting waiting;
  waiting.prefix = std::make_shared<const Prefix>(
      Prefix::of(request.salt, tokens.first(static_cast<size_t>(whole) * kKvBlockTokens)));
  const Ticket ticket = last_ticket_ + 1;
  decide(ticket, waiting);
  if (waiting.decided && waiting.done && waiting.why == CacheMiss::kNone) return 0;
  last_ticket_ = ticket;
  waiting_.emplace(ticket, std::move(waiting));
  return ticket;
}

// What is known of the disk, once it is: reads it, or not.
void Tiering::decide(Ticket ticket, Waiting& waiting) {
  if (!tier_.store().scanned()) return;
  waiting.decided = true;
  waiting.done = true;
  ++counted_.lookups;
  const Prefix& prefix = *waiting.prefix;
  waiting.known = scheduler_.visit_prefix(prefix.salt, prefix.tokens, prefix.blocks(), {});
  waiting.reached = waiting.known;
  const int more = tier_.store().count(prefix, waiting.known);
  if (more == 0) return;
  if (!worth_reading(static_cast<uint64_t>(more) * block_bytes_, tier_.read_bandwidth(),
                     more * kKvBlockTokens, prefill_rate_)) {
    waiting.why = CacheMiss::kFaster;
    return;
  }
  waiting.done = false;
  tier_.promote(ticket, waiting.prefix, waiting.known, waiting.known + more);
}

bool Tiering::done(Ticket ticket) const { return waiting_.at(ticket).done; }

Tiering::Promoted Tiering::take(Ticket ticket) {
  const auto found = waiting_.find(ticket);
  CHECK(found != waiting_.end());
  const Waiting& waiting = found->second;
  const Promoted promoted{(waiting.reached - waiting.known) * kKvBlockTokens, waiting.why};
  counted_.hits += promoted.tokens > 0;
  counted_.promoted_tokens += static_cast<uint64_t>(promoted.tokens);
  waiting_.erase(found);
  return promoted;
}

// Returns the bytes it copied.
size_t Tiering::install(const ArrivedRun& run) {
  const auto found = waiting_.find(run.ticket);
  if (found == waiting_.end()) return 0;  // its request has gone
  Waiting& waiting = found->second;
  size_t copied = 0;
  if (run.count > 0 && !waiting.done) {
    const int end = run.first + run.count;
    const auto fill = [&](int index, int32_t block) {
      const auto at = static_cast<size_t>(index - run.first) * block_bytes_;
      runner_.write_block(block, std::span(run.payload).subspan(at, block_bytes_));
      copied += block_bytes_;
    };
    const Prefix& prefix = *waiting.prefix;
    const int reached = scheduler_.restore(prefix.salt, prefix.first(end), run.first, fill);
    waiting.reached = std::max(waiting.reached, std::min(reached, end));
    if (reached < end) {
      waiting.why = CacheMiss::kNoRoom;
      waiting.done = true;  // what comes after has nothing to continue
    }
  }
  if (run.failed && !waiting.done) waiting.why = CacheMiss::kUnreadable;
  waiting.done |= run.last;
  return copied;
}

void Tiering::keep(const Sequence& s) {
  const auto tokens = static_cast<size_t>(s.remembered) * kKvBlockTokens;
  if (tokens == 0 || s.tokens.size() < tokens) return;
  if (keeping_.size() >= kMostKeeping) {
    counted_.dropped +=
        static_cast<uint64_t>(keeping_.front().prefix->blocks() - keeping_.front().next);
    keeping_.pop_front();
  }
  keeping_.push_back({std::make_shared<const Prefix>(
      Prefix::of(s.salt, std::span<const int32_t>(s.tokens).first(tokens)))});
}

// Hands one run of the sequence that waits longest to the writer, what is on disk already left out.
// Returns the bytes it copied.
size_t Tiering::keep_next() {
  Keeping& keeping = keeping_.front();
  const Prefix& prefix = *keeping.prefix;
  const DiskStore& store = tier_.store();
  int first = keeping.next;
  while (first < prefix.blocks() && !store.lacks(prefix, first)) ++first;
  if (first >= prefix.blocks()) {
    keeping_.pop_front();
    return 0;
  }
  int end = first + 1;
  const int most = std::min(prefix.blocks(), first + tier_.run_blocks());
  while (end < most && store.lacks(prefix, end)) ++end;
  std::vector<std::byte> payload;
  payload.reserve(static_cast<size_t>(end - first) * block_bytes_);
  scheduler_.visit_prefix(prefix.salt, prefix.first(end), first, [&](int, int32_t block) {
    payload.resize(payload.size() + block_bytes_);
    runner_.read_block(block, std::span(payload).last(block_bytes_));
  });
  const size_t copied = payload.size();
  keeping.next = first + static_cast<int>(copied / block_bytes_);
  if (copied > 0) tier_.save(keeping.prefix, first, std::move(payload));
  if (keeping.next < end) {  // the rest has given way to others meanwhile
    counted_.dropped += static_cast<uint64_t>(prefix.blocks() - keeping.next);
    keeping_.pop_front();
  }
  return copied;
}

void Tiering::observe(int rows, Duration took) {
  if (rows < kPrefillRows || took <= Duration::zero()) return;
  const double now = rows / std::chrono::duration<double>(took).count();
  prefill_rate_ = prefill_rate_ == 0 ? now : prefill_rate_ + (now - prefill_rate_) / 8;
}

void Tiering::step(bool busy) {
  if (tier_.store().scanned())
    for (auto& [ticket, waiting] : waiting_)
      if (!waiting.decided) decide(ticket, waiting);
  size_t copied = 0;
  while (!busy || copied < kInstallBytes) {
    const auto run = tier_.take_arrived();
    if (!run) break;
    copied += install(*run);
  }
  copied = 0;
  const size_t run_bytes = static_cast<size_t>(tier_.run_blocks()) * block_bytes_;
  while (!keeping_.empty() && tier_.store().scanned() && tier_.has_room(run_bytes) &&
         (!busy || copied < kKeepBytes))
    copied += keep_next();
}

bool Tiering::has_work() const {
  if (tier_.has_arrived()) return true;
  const size_t run_bytes = static_cast<size_t>(tier_.run_blocks()) * block_bytes_;
  return !keeping_.empty() && tier_.store().scanned() && tier_.has_room(run_bytes);
}

void Tiering::flush(Time until) {
  while (!keeping_.empty() && clock_.now() < until) {
    step(false);
    if (!tier_.wait_saved(until)) return;
    if (!tier_.store().scanned()) return;
  }
  tier_.wait_saved(until);
}

DiskCacheStats Tiering::stats() const {
  DiskCacheStats stats = tier_.store().stats();
  stats.lookups = counted_.lookups;
  stats.hits = counted_.hits;
  stats.promoted_tokens = counted_.promoted_tokens;
  stats.dropped = counted_.dropped;
  return stats;
}

}  // namespace aictl::inference
