// The life of a sequence: submitted, planned row by row, forked, ended. Who may run is in
// admission.cpp.
#include "plugins/services/inference/sched/scheduler.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include <fmt/format.h>

#include "core/base/check.hpp"

namespace aictl::inference {

int prefill_chunk(int max_rows) {
  const auto half = static_cast<unsigned>(std::max(2, max_rows) / 2);
  return std::min(kKvBlockTokens, static_cast<int>(std::bit_floor(half)));
}

Scheduler::Scheduler(const SchedulerLimits& limits, std::function<void(const Ended&)> on_end)
    : limits_(limits),
      chunk_(prefill_chunk(limits.max_rows)),
      on_end_(std::move(on_end)),
      pool_(limits.kv_blocks),
      prefixes_(pool_) {
  CHECK(limits.max_sequences >= 1);
  CHECK(limits.max_sequences + chunk_ <= limits.max_rows);
  running_.reserve(static_cast<size_t>(limits.max_sequences));
}

Result<void> Scheduler::can_fit(const SchedulerLimits& limits, int64_t prompt, int64_t max_tokens,
                                int n) {
  if (prompt < 1) return Error{ErrorCode::kInvalidArgument, "the prompt has no tokens", ""};
  if (max_tokens < 0)
    return Error{ErrorCode::kInvalidArgument, fmt::format("max_tokens {} is below 0", max_tokens),
                 ""};
  if (n < 1 || n > kMaxChoices)
    return Error{ErrorCode::kInvalidArgument, fmt::format("n {} is not in 1..{}", n, kMaxChoices),
                 "ask for fewer choices at a time"};
  if (prompt > limits.max_context || max_tokens > limits.max_context - prompt)
    return Error{ErrorCode::kTooLarge,
                 fmt::format("{} prompt tokens and {} to generate exceed the context of {}", prompt,
                             max_tokens, limits.max_context),
                 "shorten the prompt or lower max_tokens"};
  // The token generated last is never fed back.
  const int blocks = blocks_for(static_cast<int>(prompt + std::max<int64_t>(0, max_tokens - 1)));
  if (blocks > limits.kv_blocks)
    return Error{
        ErrorCode::kTooLarge,
        fmt::format("{} prompt tokens and {} to generate take {} KV blocks of {}, the pool "
                    "has {}",
                    prompt, max_tokens, blocks, kKvBlockTokens, limits.kv_blocks),
        "shorten the prompt, lower max_tokens, or give the KV cache more memory"};
  return {};
}

SequenceId Scheduler::new_slot() {
  if (free_slots_.empty()) {
    slots_.emplace_back();
    free_slots_.reserve(slots_.capacity());
    waiting_.reserve(slots_.capacity());
    return static_cast<SequenceId>(slots_.size() - 1);
  }
  const SequenceId id = free_slots_.back();
  free_slots_.pop_back();
  return id;
}

void Scheduler::submit(SequenceRequest request, std::vector<SequenceId>& ids) {
  CHECK(can_fit(limits_, static_cast<int64_t>(request.prompt.size()), request.max_tokens, request.n)
            .ok());
  CHECK(request.max_tokens >= 1 || request.kind != SequenceKind::kGenerate);
  ids.clear();
  for (int choice = 0; choice < request.n; ++choice) ids.push_back(new_slot());
  const int priority = std::clamp(request.priority, -kMaxPriority, kMaxPriority);
  for (size_t choice = 0; choice < ids.size(); ++choice) {
    Sequence& s = at(ids[choice]);
    s.state = choice == 0 ? SequenceState::kWaiting : SequenceState::kFollowing;
    s.kind = request.kind;
    s.prompt = static_cast<int>(request.prompt.size());
    s.max_tokens = request.max_tokens;
    s.priority = priority;
    s.arrival = request.arrival;
    s.deadline = request.deadline;
    s.salt = request.salt;
    s.reuse = request.reuse;
    s.rank = {request.arrival - priority * limits_.aging, submitted_++};
    s.leader = choice == 0 ? -1 : ids[0];
    s.next_follower = choice + 1 < ids.size() ? ids[choice + 1] : -1;
  }
  at(ids[0]).tokens = std::move(request.prompt);
  next_deadline_ = std::min(next_deadline_, request.deadline);
  insert(waiting_, ids[0]);
}

void Scheduler::insert(std::vector<SequenceId>& list, SequenceId id) {
  const auto before = [this](SequenceId a, SequenceId b) { return at(a).rank < at(b).rank; };
  list.insert(std::upper_bound(list.begin(), list.end(), id, before), id);
}

void Scheduler::remove(std::vector<SequenceId>& list, SequenceId id) {
  const auto found = std::find(list.begin(), list.end(), id);
  CHECK(found != list.end());
  list.erase(found);
}

int Scheduler::followers(const Sequence& leader) const {
  int count = 0;
  for (SequenceId id = leader.next_follower; id >= 0; id = sequence(id).next_follower) ++count;
  return count;
}

// The leader of a prompt pass ends before the fork: its first follower goes on in its place.
void Scheduler::hand_over_lead(SequenceId leader) {
  Sequence& old = at(leader);
  const SequenceId heir = old.next_follower;
  Sequence& next = at(heir);
  next.state = std::exchange(old.state, SequenceState::kFollowing);
  next.tokens = std::move(old.tokens);
  next.computed = old.computed;
  next.remembered = old.remembered;
  next.reused = old.reused;
  next.lost = old.lost;
  std::swap(next.table, old.table);
  next.started = old.started;
  next.parked = old.parked;
  next.split = old.split;
  next.leader = -1;
  for (SequenceId id = next.next_follower; id >= 0; id = at(id).next_follower) at(id).leader = heir;
  if (next.running()) --reserved_;
  auto& list = next.running() ? running_ : waiting_;
  *std::find(list.begin(), list.end(), leader) = heir;  // nothing ranks between the two
}

void Scheduler::unlink_follower(SequenceId follower) {
  SequenceId before = at(follower).leader;
  if (at(before).running()) --reserved_;
  while (at(before).next_follower != follower) before = at(before).next_follower;
  at(before).next_follower = at(follower).next_follower;
}

void Scheduler::end(SequenceId id, Time now, FinishReason reason) {
  Sequence& s = at(id);
  CHECK(s.state != SequenceState::kFree);
  Ended ended{id, reason, {}};
  GenerationTimings& t = ended.timings;
  t.prompt_tokens = s.prompt;
  t.generated_tokens = s.state == SequenceState::kFollowing ? 0 : s.generated();
  t.parked = s.parked;
  t.cached_tokens = s.reused;
  t.queued = std::min(s.started, now) - s.arrival;
  if (s.started != Time::max()) t.prefill = std::min(s.first_token, now) - s.started;
  if (s.first_token != Time::max()) {
    t.first_token = s.first_token - s.arrival;
    t.decode = now - s.first_token;
  }
  if (s.state == SequenceState::kFollowing) {
    unlink_follower(id);
  } else if (s.next_follower >= 0) {
    hand_over_lead(id);
  } else {
    remove(s.running() ? running_ : waiting_, id);
    s.table.release(pool_);
  }
  on_end_(ended);
  at(id) = Sequence{};
  free_slots_.push_back(id);
}

bool Scheduler::plan(Time now, StepPlan& plan) {
  plan.clear();
  plan.reserve(limits_.max_rows, limits_.max_sequences, limits_.kv_blocks);
  expire(now);
  admit(now);
  plan_decode(plan);
  plan_prefill(plan);
  CHECK(plan.rows() > 0 || idle());
  return plan.rows() > 0;
}

// Makes the position of the token chosen last writable, at the cost of whoever ranks last; false
// when that was the sequence itself.
bool Scheduler::hold_next_position(SequenceId id, StepPlan& plan) {
  Sequence& s = at(id);
  const int position = s.length() - 1;
  for (;;) {
    const bool shared = s.table.is_shared(pool_, position);
    if (!shared && s.table.missing(s.length()) == 0) return true;
    if (pool_.free() == 0) {
      const SequenceId victim = running_.back();
      park(victim);  // may have ended the sharing
      if (victim == id) return false;
    } else if (shared) {
      plan.copies.push_back(s.table.unshare(pool_, position));
    } else {
      s.table.grow(pool_, s.length());
    }
  }
}

void Scheduler::plan_decode(StepPlan& plan) {
  // Only those behind i are parked meanwhile, so no planned row loses its blocks.
  for (size_t i = 0; i < running_.size(); ++i) {
    const SequenceId id = running_[i];
    if (at(id).state != SequenceState::kDecode) continue;
    if (hold_next_position(id, plan)) add_rows(id, 1, plan);
  }
}

void Scheduler::plan_prefill(StepPlan& plan) {
  for (const SequenceId id : running_) {
    if (at(id).state != SequenceState::kPrefill) continue;
    const int budget = limits_.max_rows - plan.rows();
    int rows = at(id).to_compute();
    if (rows > budget) rows = budget - budget % chunk_;
    if (rows > 0) add_rows(id, rows, plan);
  }
}

void Scheduler::add_rows(SequenceId id, int rows, StepPlan& plan) {
  const Sequence& s = at(id);
  const SeqView view{plan.rows(), rows, s.computed + rows,
                     static_cast<int>(plan.block_tables.size())};
  for (int position = s.computed; position < view.kv_len; ++position) {
    plan.tokens.push_back(s.tokens[static_cast<size_t>(position)]);
    plan.positions.push_back(position);
  }
  const auto blocks = s.table.blocks().first(static_cast<size_t>(blocks_for(view.kv_len)));
  plan.block_tables.insert(plan.block_tables.end(), blocks.begin(), blocks.end());
  plan.views.push_back(view);
  plan.sequences.push_back(id);

  const bool last = view.kv_len == s.length();
  if (s.kind == SequenceKind::kEmbed) {
    plan.hidden.push_back(
        {id, static_cast<int>(plan.hidden_rows.size()), rows, s.computed == 0, last});
    for (int row = 0; row < rows; ++row) plan.hidden_rows.push_back(view.first_row + row);
  } else if (last) {
    const int row = static_cast<int>(plan.logit_rows.size());
    plan.logit_rows.push_back(plan.rows() - 1);
    plan.samples.push_back({id, row});
    for (SequenceId f = s.next_follower; f >= 0; f = at(f).next_follower)
      plan.samples.push_back({f, row});
  }
}

// Memory for the tokens to come, within reason, so that steps allocate nothing.
void Scheduler::reserve_growth(Sequence& s) {
  constexpr int kMost = 4096;
  const int length = s.length() + std::min(s.max_tokens - s.generated(), kMost);
  s.tokens.reserve(static_cast<size_t>(length));
  s.table.reserve(length);
}

// The prompt is computed: each choice goes on by itself, on shared blocks.
void Scheduler::fork_followers(Sequence& leader) {
  for (SequenceId id = std::exchange(leader.next_follower, -1); id >= 0;) {
    Sequence& s = at(id);
    s.state = SequenceState::kDecode;
    s.tokens = leader.tokens;
    s.computed = leader.computed;
    s.remembered = leader.remembered;
    s.reused = leader.reused;
    s.table = leader.table.fork(pool_);
    reserve_growth(s);
    s.started = leader.started;
    s.leader = -1;
    --reserved_;
    insert(running_, id);
    id = std::exchange(s.next_follower, -1);
  }
}

// Whole blocks only: what is remembered is never written again. Embeddings reuse nothing, and what
// they leave would only push out what others reuse.
void Scheduler::remember(Sequence& s) {
  if (!limits_.prefix_cache || s.kind == SequenceKind::kEmbed) return;
  if (s.computed / kKvBlockTokens <= s.remembered) return;
  const std::span<const int32_t> tokens(s.tokens.data(), static_cast<size_t>(s.computed));
  s.remembered = prefixes_.insert(s.salt, tokens, s.remembered, s.table);
}

void Scheduler::commit(Time now, const StepPlan& plan, std::span<const Outcome> outcomes) {
  CHECK(outcomes.size() == plan.samples.size());
  for (size_t i = 0; i < plan.sequences.size(); ++i) {
    Sequence& s = at(plan.sequences[i]);
    s.computed = plan.views[i].kv_len;
    remember(s);
    if (s.to_compute() == 0) fork_followers(s);
  }
  for (const HiddenRows& rows : plan.hidden)
    if (rows.last) end(rows.sequence, now, FinishReason::kStop);
  for (size_t i = 0; i < outcomes.size(); ++i) {
    const SequenceId id = plan.samples[i].sequence;
    Sequence& s = at(id);
    if (s.first_token == Time::max()) s.first_token = now;
    if (outcomes[i].ends) {
      end(id, now, outcomes[i].reason);
      continue;
    }
    s.tokens.push_back(outcomes[i].token);
    s.state = SequenceState::kDecode;
    if (s.generated() == s.max_tokens) end(id, now, FinishReason::kLength);
  }
}

SchedulerStats Scheduler::stats() const {
  SchedulerStats stats = stats_;
  stats.running = static_cast<int>(running_.size());
  for (const SequenceId id : waiting_) {
    stats.waiting += 1 + followers(sequence(id));
    if (sequence(id).parked > 0) ++stats.parked;
  }
  return stats;
}

}  // namespace aictl::inference
