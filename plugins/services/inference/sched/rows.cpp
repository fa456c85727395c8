// What a step computes: a row for each sequence that waits for its next token, with drafts behind
// it where they pay; then prompts, as far as time and rows allow.
#include <algorithm>
#include <array>
#include <limits>

#include "core/base/check.hpp"
#include "plugins/services/inference/sched/scheduler.hpp"

namespace aictl::inference {
namespace {

double seconds_of(Duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

// Makes the position of the token chosen last writable, at the cost of whoever yields first; false
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
  int decoding = 0;
  for (const SequenceId id : running_) {
    if (at(id).state != SequenceState::kDecode) continue;
    plan.shape.add(1, 1, at(id).length());
    ++decoding;
  }
  policy_.begin(cost_, plan.shape, decoding);
  plan.shape = {};
  draft_seconds_ = 0;
  // Every place keeps its row, its logits and, with others, room for a chunk of a prompt.
  int spare =
      std::min(std::max(limits_.max_logit_rows, limits_.max_sequences), limits_.max_rows - chunk_) -
      turns_.places();
  // Only those behind i are parked meanwhile, so no planned row loses its blocks.
  for (size_t i = 0; i < running_.size(); ++i) {
    const SequenceId id = running_[i];
    if (at(id).state != SequenceState::kDecode || !hold_next_position(id, plan)) continue;
    const int drafted = limits_.drafts ? draft(id, spare) : 0;
    spare -= drafted;
    add_rows(id, 1 + drafted, plan);
  }
}

// Appends a guess to the tokens and says how long it is, at most `most`. It takes a block only
// where others keep theirs.
int Scheduler::draft(SequenceId id, int most) {
  Sequence& s = at(id);
  int count = kMaxDraft;
  if (!limits_.draft_always) {
    count = policy_.most(cost_, s.record, s.length());
    if (count == 0 && policy_.could_pay(cost_, s.length()) && s.record.try_again()) count = 1;
  }
  count = std::min({count, most, s.max_tokens - s.generated() - 1});
  if (s.table.missing(s.length() + count) > 0 && pool_.free() <= turns_.places())
    count = std::min(count, s.table.size() * kKvBlockTokens - s.length());
  if (count <= 0) return 0;
  std::array<int32_t, kMaxDraft> guess;
  count = propose_draft(s.tokens, std::span(guess).first(static_cast<size_t>(count)));
  const bool held = s.table.grow(pool_, s.length() + count);
  CHECK(held);
  s.tokens.insert(s.tokens.end(), guess.begin(), guess.begin() + count);
  s.drafted = count;
  draft_seconds_ += count * cost_.row(s.length(), true);
  return count;
}

// The first prompt of `account` that has no rows in this step and has not been passed over.
SequenceId Scheduler::next_prompt(int account) const {
  for (const SequenceId id : running_) {
    const Sequence& s = sequence(id);
    if (s.state == SequenceState::kPrefill && s.seen != steps_ &&
        turns_.account_of(s.request) == account)
      return id;
  }
  return -1;
}

// Whole, or in chunks as far as rows and seconds reach; the first prompt gets a chunk in any case.
int Scheduler::rows_of_prompt(const Sequence& s, int room, double seconds, bool first) const {
  const double each = cost_.row(s.computed, false);
  int rows = std::min(room, s.to_compute());
  if (each > 0 && seconds < rows * each)
    rows = std::max(static_cast<int>(seconds / each), first ? std::min(chunk_, rows) : 0);
  return rows < s.to_compute() ? rows - rows % chunk_ : rows;
}

// Prompts one after the other, not side by side: a step ends with a prompt as soon as there is
// enough in it, so that the first token of those in front does not wait for rows of those behind.
void Scheduler::plan_prefill(StepPlan& plan) {
  ++steps_;
  const bool waited_for = !plan.samples.empty() && limits_.token_latency > Duration::zero();
  double seconds =
      waited_for ? seconds_of(limits_.token_latency) - cost_.predict(plan.shape) - draft_seconds_
                 : std::numeric_limits<double>::infinity();
  const int enough = cost_.enough_rows(), before = plan.rows();
  bool completed = false;
  for (int c = kServiceClasses - 1; c >= 0; --c) {
    turns_.forget();
    for (const SequenceId id : running_)
      if (at(id).state == SequenceState::kPrefill) turns_.ask(turns_.account_of(at(id).request));
    for (int account; (account = turns_.next(static_cast<ServiceClass>(c))) >= 0;) {
      if (completed && plan.rows() - before >= enough) return;
      const SequenceId id = next_prompt(account);
      if (id < 0) {
        turns_.withdraw(account);
        continue;
      }
      Sequence& s = at(id);
      s.seen = steps_;
      const int rows =
          rows_of_prompt(s, limits_.max_rows - plan.rows(), seconds, plan.rows() == before);
      if (rows <= 0) continue;
      completed |= rows == s.to_compute();
      seconds -= rows * cost_.row(s.computed + rows, false);
      add_rows(id, rows, plan);
      turns_.take_turn(account);
    }
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
  turns_.charge(turns_.account_of(s.request), rows);

  const bool last = view.kv_len == s.length(), sampled = last && s.kind != SequenceKind::kEmbed;
  plan.shape.add(rows - s.drafted, sampled ? 1 : 0, view.kv_len - s.drafted);
  plan.drafted += s.drafted;
  if (s.kind == SequenceKind::kEmbed) {
    plan.hidden.push_back(
        {id, static_cast<int>(plan.hidden_rows.size()), rows, s.computed == 0, last});
    for (int row = 0; row < rows; ++row) plan.hidden_rows.push_back(view.first_row + row);
  } else if (last) {
    add_samples(id, plan);
  }
}

// A row of logits for the last token, and for each before it that a draft follows.
void Scheduler::add_samples(SequenceId id, StepPlan& plan) {
  const Sequence& s = at(id);
  for (int ahead = s.drafted; ahead >= 0; --ahead) {
    const int row = static_cast<int>(plan.logit_rows.size()), position = s.length() - ahead;
    plan.logit_rows.push_back(plan.rows() - 1 - ahead);
    plan.samples.push_back(
        {id, row, position, ahead > 0 ? s.tokens[static_cast<size_t>(position)] : -1});
    for (SequenceId f = s.next_follower; f >= 0; f = at(f).next_follower)
      plan.samples.push_back({f, row, position, -1});
  }
}

// What the step took corrects the prices: of the model by steps without drafts, of drafts by what
// the others took longer.
void Scheduler::measure(Time now, const StepPlan& plan) {
  const double seconds = seconds_of(now - planned_);
  if (plan.drafted == 0)
    cost_.observe(plan.shape, seconds);
  else
    policy_.observe(seconds, cost_.predict(plan.shape), draft_seconds_);
}

}  // namespace aictl::inference
