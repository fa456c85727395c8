// The life of a sequence: submitted, planned, forked, ended. Who may run is in admission.cpp, what
// is computed in rows.cpp.
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
      prefixes_(pool_),
      cost_(limits.work) {
  CHECK(limits.max_sequences >= 1);
  CHECK(limits.max_sequences + chunk_ <= limits.max_rows);
  running_.reserve(static_cast<size_t>(limits.max_sequences));
  victims_.reserve(static_cast<size_t>(limits.max_sequences));
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
  const int asked = turns_.open(request.salt.tenant, class_of(priority), request.n);
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
    s.request = asked;
    s.record = DraftRecord(policy_.expected());
    s.rank = {request.arrival - priority * limits_.aging, submitted_++};
    s.leader = choice == 0 ? -1 : ids[0];
    s.next_follower = choice + 1 < ids.size() ? ids[choice + 1] : -1;
  }
  at(ids[0]).tokens = std::move(request.prompt);
  next_deadline_ = std::min(next_deadline_, request.deadline);
  wait(ids[0]);
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
  next.leader = -1;
  for (SequenceId id = next.next_follower; id >= 0; id = at(id).next_follower) at(id).leader = heir;
  if (blocked_ == leader) blocked_ = heir;
  auto& list = next.running() ? running_ : waiting_;
  *std::find(list.begin(), list.end(), leader) = heir;  // nothing that waits ranks between the two
  arranged_ = false;
}

void Scheduler::unlink_follower(SequenceId follower) {
  SequenceId before = at(follower).leader;
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
  const SequenceId of = s.state == SequenceState::kFollowing ? s.leader : id;
  if (at(of).running()) turns_.hold(s.request, -1);
  if (s.state == SequenceState::kFollowing) {
    unlink_follower(id);
  } else if (s.next_follower >= 0) {
    hand_over_lead(id);
  } else {
    if (blocked_ == id) blocked_ = -1;
    if (s.running()) arranged_ = false;
    remove(s.running() ? running_ : waiting_, id);
    s.table.release(pool_);
  }
  on_end_(ended);
  turns_.close(at(id).request);
  at(id) = Sequence{};
  free_slots_.push_back(id);
}

bool Scheduler::plan(Time now, StepPlan& plan) {
  plan.clear();
  plan.reserve(limits_.max_rows, limits_.max_sequences,
               std::max(limits_.max_sequences, limits_.max_logit_rows), limits_.kv_blocks);
  planned_ = now;
  expire(now);
  admit(now);
  arrange();
  plan_decode(plan);
  plan_prefill(plan);
  CHECK(plan.rows() > 0 || idle());
  return plan.rows() > 0;
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
    running_.push_back(id);
    arranged_ = false;
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
  measure(now, plan);
  for (size_t i = 0; i < plan.sequences.size(); ++i) {
    Sequence& s = at(plan.sequences[i]);
    s.computed = plan.views[i].kv_len - s.drafted;  // of a draft nothing counts yet
    s.tokens.resize(s.tokens.size() - static_cast<size_t>(s.drafted));
    remember(s);
    if (s.to_compute() == 0) fork_followers(s);
  }
  for (const HiddenRows& rows : plan.hidden)
    if (rows.last) end(rows.sequence, now, FinishReason::kStop);
  const std::span<const SampleRow> samples(plan.samples);
  for (size_t i = 0, behind; i < outcomes.size(); i = behind) {
    behind = i + 1 + static_cast<size_t>(at(samples[i].sequence).drafted);
    take(now, samples.subspan(i, behind - i), outcomes.subspan(i, behind - i));
  }
}

// The rows of one sequence. A row behind the first counts if the one before chose what was drafted:
// its keys and values then lie where they should. Those of the others are written over.
void Scheduler::take(Time now, std::span<const SampleRow> rows, std::span<const Outcome> outcomes) {
  const SequenceId id = rows[0].sequence;
  Sequence& s = at(id);
  if (s.first_token == Time::max()) s.first_token = now;
  size_t right = 0;
  while (right + 1 < rows.size() && !outcomes[right].ends &&
         outcomes[right].token == rows[right].draft)
    ++right;
  if (const int drafted = std::exchange(s.drafted, 0); drafted > 0) {
    s.record.count(drafted, static_cast<int>(right));
    policy_.learn(s.record.hits());
    stats_.drafted_tokens += static_cast<uint64_t>(drafted);
    stats_.accepted_tokens += right;
  }
  s.computed += static_cast<int>(right);
  s.state = SequenceState::kDecode;
  for (const Outcome& outcome : outcomes.first(right + 1)) {
    if (outcome.ends) return end(id, now, outcome.reason);
    s.tokens.push_back(outcome.token);
    if (s.generated() == s.max_tokens) return end(id, now, FinishReason::kLength);
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
