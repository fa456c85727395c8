// Who runs: deadlines, admission in order, and parking. A parked sequence gives its blocks back and
// is computed again later; since a token's draw is keyed by its position, the stream stays the
// same.
#include <algorithm>
#include <utility>

#include "core/base/check.hpp"
#include "plugins/services/inference/sched/scheduler.hpp"

namespace aictl::inference {

void Scheduler::expire(Time now) {
  if (now < next_deadline_) return;
  next_deadline_ = Time::max();
  for (SequenceId id = 0; id < slots(); ++id) {
    const Sequence& s = at(id);
    if (s.state == SequenceState::kFree) continue;
    if (s.deadline <= now)
      end(id, now, FinishReason::kDeadline);
    else
      next_deadline_ = std::min(next_deadline_, s.deadline);
  }
}

// Strictly in order: a large prompt at the head waits for room and nobody smaller slips past it, so
// nobody starves.
void Scheduler::admit(Time now) {
  while (!waiting_.empty()) {
    const SequenceId id = waiting_.front();
    Sequence& s = at(id);
    adopt_prefix(s);
    const int choices = choices_to_start(s);
    if (!fits(s, choices, {}) && !make_room_for(s, choices)) {
      s.table.release(pool_);
      s.computed = 0;
      return;
    }
    if (choices <= followers(s)) split_after(id, choices);
    waiting_.erase(waiting_.begin());
    const bool grown = s.table.grow(pool_, s.length());
    CHECK(grown);
    reserve_growth(s);
    s.state = SequenceState::kPrefill;
    reserved_ += followers(s);
    insert(running_, id);
    s.remembered = s.computed / kKvBlockTokens;
    if (s.started == Time::max()) {
      s.started = now;
      s.reused = s.computed;
      stats_.prompt_tokens += static_cast<uint64_t>(s.prompt);
      stats_.reused_tokens += static_cast<uint64_t>(s.reused);
    } else {
      stats_.recomputed_tokens += static_cast<uint64_t>(std::max(0, s.lost - s.computed));
    }
  }
}

// Blocks others computed for the same tokens; the last position is always computed, for its logits,
// and an embedding needs every position.
void Scheduler::adopt_prefix(Sequence& s) {
  s.computed = 0;
  if (!limits_.prefix_cache || !s.reuse || s.kind == SequenceKind::kEmbed) return;
  const std::span<const int32_t> tokens(s.tokens);
  s.computed = prefixes_.match(s.salt, tokens.first(tokens.size() - 1), s.table);
}

// A group starts together, with one prompt pass; one that can never start whole takes what room
// there is, and so does what is left of it.
int Scheduler::choices_to_start(const Sequence& head) const {
  const int all = 1 + followers(head);
  if (all <= limits_.max_sequences && !head.split) return all;
  const int room = limits_.max_sequences - static_cast<int>(running_.size()) - reserved_;
  return std::clamp(room, 1, all);
}

// The choices of `leader`, which waits, from number `choices` on become a group of their own, next
// in the order.
void Scheduler::split_after(SequenceId leader, int choices) {
  SequenceId last = leader;
  for (int i = 1; i < choices; ++i) last = at(last).next_follower;
  const SequenceId heir = std::exchange(at(last).next_follower, -1);
  Sequence& next = at(heir);
  next.state = SequenceState::kWaiting;
  next.tokens = at(leader).tokens;
  next.leader = -1;
  next.split = true;
  for (SequenceId id = next.next_follower; id >= 0; id = at(id).next_follower) at(id).leader = heir;
  insert(waiting_, heir);
}

// Whether `choices` of `head` could start if `freed` were given up first. A block for each running
// sequence is left over: what starts is then not parked again within the next 64 steps.
bool Scheduler::fits(const Sequence& head, int choices, const Room& freed) const {
  const int still_running = static_cast<int>(running_.size()) - freed.sequences;
  const int slots = static_cast<int>(running_.size()) + reserved_ - freed.slots;
  if (slots + choices > limits_.max_sequences) return false;
  return pool_.free() + freed.blocks >= head.table.missing(head.length()) + still_running;
}

Scheduler::Room Scheduler::held_by(const Sequence& victim) const {
  Room room{1, 1 + followers(victim), 0};
  for (const int32_t block : victim.table.blocks()) room.blocks += pool_.refs(block) == 1;
  return room;
}

// Parks sequences of strictly lower priority that rank behind `head`, last first, if that lets it
// start; otherwise nobody.
bool Scheduler::make_room_for(const Sequence& head, int choices) {
  const auto yields = [&](const Sequence& s) {
    return s.priority < head.priority && s.rank > head.rank;
  };
  Room room;
  size_t from = running_.size();
  while (!fits(head, choices, room)) {
    if (from == 0) return false;
    const Sequence& victim = at(running_[--from]);
    if (!yields(victim)) continue;
    const Room held = held_by(victim);
    room.sequences += held.sequences;
    room.slots += held.slots;
    room.blocks += held.blocks;
  }
  for (size_t i = running_.size(); i-- > from;)
    if (yields(at(running_[i]))) park(running_[i]);
  return true;
}

void Scheduler::park(SequenceId id) {
  Sequence& s = at(id);
  ++stats_.parkings;
  ++s.parked;
  s.table.release(pool_);
  s.lost = std::exchange(s.computed, 0);
  s.state = SequenceState::kWaiting;
  reserved_ -= followers(s);
  remove(running_, id);
  insert(waiting_, id);
}

}  // namespace aictl::inference
