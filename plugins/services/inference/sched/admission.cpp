// Who runs: deadlines, turns, and parking. One choice starts at a time, so that those of one
// request take turns with other requests; while its prompt is computed the next ones join the pass.
// A parked sequence gives its blocks back and is computed again later; since a token's draw is
// keyed by its position, the stream stays the same.
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

// Those who wait for a place go by turns. Who could have one but lacks blocks keeps its turn: a
// large prompt waits for room and nobody smaller of its class slips past it.
void Scheduler::admit(Time now) {
  turns_.forget();
  for (const SequenceId id : waiting_) turns_.ask(turns_.account_of(at(id).request));
  for (SequenceId id; (id = next_to_start()) >= 0;) {
    Sequence& s = at(id);
    const SequenceId leader = prompt_pass_of(s);
    if (leader < 0) adopt_prefix(s);
    if (fits(s, leader, {}) || make_room_for(s, leader)) {
      if (leader < 0)
        start(id, now);
      else
        follow(id, leader);
      continue;
    }
    s.table.release(pool_);
    s.computed = 0;
    if (turns_.places() < limits_.max_sequences) {
      blocked_ = id;
      return;
    }
    if (blocked_ == id) blocked_ = -1;
    turns_.withdraw(turns_.account_of(s.request));  // nobody yields a place to it
  }
}

// Of the highest class that waits: see Scheduler. -1: nobody.
SequenceId Scheduler::next_to_start() const {
  if (waiting_.empty()) return -1;
  const ServiceClass service = sequence(waiting_.front()).service();
  if (blocked_ >= 0 && sequence(blocked_).service() == service) return blocked_;
  SequenceId best = -1;
  for (const SequenceId id : waiting_) {
    const Sequence& s = sequence(id);
    if (s.service() != service) break;
    if (!turns_.asks(turns_.account_of(s.request))) continue;
    if (best < 0 || before(s, sequence(best))) best = id;
  }
  return best;
}

bool Scheduler::before(const Sequence& a, const Sequence& b) const {
  const int mine = turns_.account_of(a.request), theirs = turns_.account_of(b.request);
  if (mine != theirs) {
    const int held = turns_.places_of_account(mine), by_them = turns_.places_of_account(theirs);
    if (held != by_them) return held < by_them;
    const int64_t owed = turns_.credit(mine), to_them = turns_.credit(theirs);
    if (owed != to_them) return owed > to_them;
    return mine < theirs;
  }
  const int held = turns_.places_of(a.request), by_them = turns_.places_of(b.request);
  return held != by_them ? held < by_them : a.rank < b.rank;
}

// The sequence that computes the prompt of `head`, which may still join; -1: none.
SequenceId Scheduler::prompt_pass_of(const Sequence& head) const {
  if (head.generated() > 0 || turns_.places_of(head.request) == 0) return -1;
  for (const SequenceId id : running_) {
    const Sequence& s = sequence(id);
    if (s.request == head.request && s.state == SequenceState::kPrefill && s.generated() == 0)
      return id;
  }
  return -1;
}

// Blocks others computed for the same tokens; the last position is always computed, for its logits,
// and an embedding needs every position.
void Scheduler::adopt_prefix(Sequence& s) {
  s.computed = 0;
  if (!limits_.prefix_cache || !s.reuse || s.kind == SequenceKind::kEmbed) return;
  const std::span<const int32_t> tokens(s.tokens);
  s.computed = prefixes_.match(s.salt, tokens.first(tokens.size() - 1), s.table);
}

// Whether `head` could start, or join `leader`, if `freed` were given up first. A block for each
// running sequence is left over: what starts is then not parked again within the next 64 steps.
bool Scheduler::fits(const Sequence& head, SequenceId leader, const Room& freed) const {
  if (turns_.places() >= limits_.max_sequences) return false;
  const int missing = leader >= 0 ? 1 : head.table.missing(head.length());
  const int still_running = static_cast<int>(running_.size()) - freed.sequences;
  return pool_.free() + freed.blocks >= missing + still_running;
}

// See Scheduler: two places more, so that nobody takes back what it has just given.
bool Scheduler::yields(const Sequence& victim, const Sequence& head) const {
  if (victim.service() != head.service()) return victim.service() < head.service();
  const int mine = turns_.account_of(head.request), theirs = turns_.account_of(victim.request);
  if (mine != theirs) return turns_.places_of_account(theirs) >= turns_.places_of_account(mine) + 2;
  return turns_.places_of(victim.request) >= turns_.places_of(head.request) + 2;
}

// Of a prompt pass of its own class only a choice goes back that follows: the pass is not lost.
bool Scheduler::sheds(const Sequence& victim, const Sequence& head) const {
  return victim.next_follower >= 0 && victim.service() == head.service();
}

// Parks those who yield, last first, if that lets `head` start; otherwise nobody.
bool Scheduler::make_room_for(const Sequence& head, SequenceId leader) {
  arrange();
  Room room;
  victims_.clear();
  for (size_t i = running_.size(); i-- > 0 && !fits(head, leader, room);) {
    const Sequence& victim = at(running_[i]);
    const bool part = sheds(victim, head);
    if (running_[i] == leader || !yields(victim, head)) continue;
    // The first of a tenant stays, also where those behind it have no blocks to give.
    if (!part && victim.level == 0 && victim.service() == head.service()) continue;
    if (part && turns_.places() < limits_.max_sequences) continue;  // blocks it has none of
    victims_.push_back(running_[i]);
    // As if it had gone already: others of its request may not yield after that.
    turns_.hold(victim.request, part ? -1 : -1 - followers(victim));
    if (part) continue;
    ++room.sequences;
    for (const int32_t block : victim.table.blocks()) room.blocks += pool_.refs(block) == 1;
  }
  const bool enough = fits(head, leader, room);
  for (const SequenceId id : victims_)
    turns_.hold(at(id).request, sheds(at(id), head) ? 1 : 1 + followers(at(id)));
  if (!enough) return false;
  for (const SequenceId id : victims_)
    if (sheds(at(id), head))
      shed(id);
    else
      park(id);
  return true;
}

// Its followers become a group of their own, which waits.
void Scheduler::part_from_followers(SequenceId leader, bool keeps_tokens) {
  const SequenceId heir = std::exchange(at(leader).next_follower, -1);
  if (heir < 0) return;
  Sequence& next = at(heir);
  if (keeps_tokens)
    next.tokens = at(leader).tokens;
  else
    next.tokens = std::move(at(leader).tokens);
  next.leader = -1;
  for (SequenceId id = next.next_follower; id >= 0; id = at(id).next_follower) at(id).leader = heir;
  wait(heir);
}

void Scheduler::start(SequenceId id, Time now) {
  if (blocked_ == id) blocked_ = -1;
  part_from_followers(id, true);
  remove(waiting_, id);
  Sequence& s = at(id);
  const bool grown = s.table.grow(pool_, s.length());
  CHECK(grown);
  reserve_growth(s);
  s.state = SequenceState::kPrefill;
  turns_.hold(s.request, 1);
  running_.push_back(id);
  arranged_ = false;
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

// One more choice of the prompt that `leader` computes.
void Scheduler::follow(SequenceId id, SequenceId leader) {
  if (blocked_ == id) blocked_ = -1;
  part_from_followers(id, false);
  remove(waiting_, id);
  Sequence& s = at(id);
  s.state = SequenceState::kFollowing;
  s.tokens.clear();
  s.leader = leader;
  SequenceId last = leader;
  while (at(last).next_follower >= 0) last = at(last).next_follower;
  at(last).next_follower = id;
  turns_.hold(s.request, 1);
}

// The last choice that follows goes back to wait.
void Scheduler::shed(SequenceId leader) {
  SequenceId last = at(leader).next_follower;
  while (at(last).next_follower >= 0) last = at(last).next_follower;
  unlink_follower(last);
  Sequence& s = at(last);
  s.leader = -1;
  s.tokens = at(leader).tokens;  // of the prompt alone
  turns_.hold(s.request, -1);
  wait(last);
}

void Scheduler::park(SequenceId id) {
  Sequence& s = at(id);
  ++stats_.parkings;
  ++s.parked;
  s.table.release(pool_);
  s.lost = std::exchange(s.computed, 0);
  turns_.hold(s.request, -1 - followers(s));
  remove(running_, id);
  arranged_ = false;
  wait(id);
}

void Scheduler::wait(SequenceId id) {
  at(id).state = SequenceState::kWaiting;
  turns_.ask(turns_.account_of(at(id).request));
  const auto before = [this](SequenceId a, SequenceId b) {
    const Sequence &x = at(a), &y = at(b);
    return x.service() != y.service() ? x.service() > y.service() : x.rank < y.rank;
  };
  waiting_.insert(std::upper_bound(waiting_.begin(), waiting_.end(), id, before), id);
}

// Puts those that run in the order in which they keep what they have: by class; then the first of
// each tenant, the second of each, and so on; of a tenant, the first of each request likewise.
void Scheduler::arrange() {
  if (std::exchange(arranged_, true)) return;
  const auto account = [this](const Sequence& s) { return turns_.account_of(s.request); };
  const auto sort = [this](auto&& before) {
    std::sort(running_.begin(), running_.end(),
              [&](SequenceId a, SequenceId b) { return before(at(a), at(b)); });
  };
  const auto number = [this](auto&& alike) {
    for (size_t i = 0; i < running_.size(); ++i) {
      const bool same = i > 0 && alike(at(running_[i - 1]), at(running_[i]));
      at(running_[i]).level = same ? at(running_[i - 1]).level + 1 : 0;
    }
  };
  sort([](const Sequence& a, const Sequence& b) {
    return a.request != b.request ? a.request < b.request : a.rank < b.rank;
  });
  number([](const Sequence& a, const Sequence& b) { return a.request == b.request; });
  sort([&](const Sequence& a, const Sequence& b) {
    if (account(a) != account(b)) return account(a) < account(b);
    return a.level != b.level ? a.level < b.level : a.rank < b.rank;
  });
  number([&](const Sequence& a, const Sequence& b) { return account(a) == account(b); });
  sort([](const Sequence& a, const Sequence& b) {
    if (a.service() != b.service()) return a.service() > b.service();
    return a.level != b.level ? a.level < b.level : a.rank < b.rank;
  });
}

}  // namespace aictl::inference
