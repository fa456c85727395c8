// One step: cancel, plan, compute, sample, commit, tell.
#include "plugins/services/inference/engine_core.hpp"

#include <algorithm>
#include <cmath>
#include <exception>
#include <utility>

#include <fmt/format.h>

#include "plugins/services/inference/forward/forward.hpp"
#include "plugins/services/inference/sample/logprobs.hpp"

namespace aictl::inference {
namespace {

CacheMiss miss_of(const Job& job, const Sequence& s, const GenerationTimings& t, bool cache_on) {
  const int whole = (t.prompt_tokens - 1) / kKvBlockTokens * kKvBlockTokens;
  if (s.kind == SequenceKind::kEmbed) return CacheMiss::kNone;
  if (!cache_on) return CacheMiss::kOff;
  if (!s.reuse) return CacheMiss::kNotWanted;
  if (whole == 0) return CacheMiss::kShort;
  if (t.cached_tokens >= whole) return CacheMiss::kNone;
  if (job.promoted.why != CacheMiss::kNone) return job.promoted.why;
  return t.cached_tokens > 0 ? CacheMiss::kSuffix : CacheMiss::kUnknown;
}

}  // namespace

EngineCore::EngineCore(const SchedulerLimits& limits, int vocab_tokens, const ModelSpec& spec,
                       Runner& runner, QueueGate& gate, const Clock& clock)
    : spec_(spec),
      runner_(runner),
      gate_(gate),
      clock_(clock),
      scheduler_(limits, [this](const Ended& ended) { on_end(ended); }),
      sampler_(vocab_tokens),
      vocab_(vocab_tokens) {
  published_.kv_blocks = stats_.kv_blocks = limits.kv_blocks;
}

void EngineCore::open_tier(std::unique_ptr<DiskStore> store, std::function<void()> wake) {
  tiering_ =
      std::make_unique<Tiering>(std::move(store), std::move(wake), scheduler_, runner_, clock_);
}

void EngineCore::close_tier(Duration limit) {
  if (!tiering_) return;
  tiering_->flush(clock_.now() + limit);
  publish();
  tiering_.reset();
}

void EngineCore::admit(std::unique_ptr<Job> job) {
  if (tiering_) job->ticket = tiering_->look_up(job->request);
  if (job->ticket != 0 && !tiering_->done(job->ticket))
    promoting_.push_back(std::move(job));
  else
    submit(std::move(job));
}

// Those whose blocks are there, and those who are not to wait any longer.
void EngineCore::submit_promoted(Time now) {
  for (size_t i = 0; i < promoting_.size();) {
    const Job& job = *promoting_[i];
    bool leaves = tiering_->done(job.ticket) || job.request.deadline <= now;
    for (int c = 0; c < job.request.n; ++c) leaves |= job.generation->end_requested(c).has_value();
    if (!leaves) {
      ++i;
      continue;
    }
    submit(std::exchange(promoting_[i], nullptr));
    promoting_.erase(promoting_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

void EngineCore::submit(std::unique_ptr<Job> job) {
  if (job->ticket != 0) job->promoted = tiering_->take(std::exchange(job->ticket, 0));
  const size_t n = static_cast<size_t>(job->request.n);
  job->states.resize(n);
  job->live = static_cast<int>(n);
  scheduler_.submit(std::move(job->request), job->ids);
  choices_.resize(static_cast<size_t>(scheduler_.slots()));
  for (size_t i = 0; i < n; ++i)
    choice(job->ids[i]) = {job.get(), static_cast<int>(i), -1, Error{}};
  jobs_.push_back(std::move(job));
  publish();
}

void EngineCore::apply_wishes() {
  const Time now = clock_.now();
  for (const auto& job : jobs_)
    for (size_t i = 0; i < job->ids.size(); ++i)
      if (job->ids[i] >= 0)
        if (const auto reason = job->generation->end_requested(static_cast<int>(i)))
          scheduler_.end(job->ids[i], now, *reason);
}

void EngineCore::step() {
  const Time begin = clock_.now();
  if (tiering_) {
    tiering_->step(!jobs_.empty());
    submit_promoted(begin);
  }
  apply_wishes();
  const bool work = scheduler_.plan(begin, plan_);
  if (work) {
    const Time planned = clock_.now();
    const Result<void> computed = compute();
    const Time forwarded = clock_.now();
    if (!computed) return end_all(FinishReason::kFailed, computed.error());
    pool_hidden();
    sample_rows();
    const Time sampled = clock_.now();
    scheduler_.commit(sampled, plan_, outcomes_);
    ++stats_.steps;
    stats_.schedule += planned - begin;
    stats_.forward += forwarded - planned;
    stats_.sample += sampled - forwarded;
    stats_.last_step = sampled - begin;
    if (tiering_) tiering_->observe(plan_.rows(), forwarded - planned);
  }
  publish();
  notify();
}

Result<void> EngineCore::compute() {
  try {  // a backend's last word, such as bad_alloc or a lost device
    for (const BlockCopy& copy : plan_.copies) runner_.copy_block(copy.from, copy.to, copy.tokens);
    forward(runner_.stages(), spec_, plan_.batch(), runner_.workspace());
    return {};
  } catch (const std::exception& failure) {
    return Error{
        ErrorCode::kInternal,
        fmt::format("the backend failed at a step of {} rows: {}", plan_.rows(), failure.what()),
        ""};
  }
}

void EngineCore::pool_hidden() {
  const Act hidden = runner_.workspace().hidden;
  for (const HiddenRows& rows : plan_.hidden) {
    Job& job = *choice(rows.sequence).job;
    std::vector<float>& sum = job.values;
    if (rows.begins) sum.assign(static_cast<size_t>(spec_.hidden), 0.0f);
    const bool mean = job.pooling == Pooling::kMean;
    if (!mean && !rows.last) continue;
    for (int i = mean ? 0 : rows.rows - 1; i < rows.rows; ++i) {
      const float* row = hidden.row(rows.first + i);
      for (size_t d = 0; d < sum.size(); ++d) sum[d] += row[d];
    }
    if (!rows.last) continue;
    double squares = 0;  // scaling to length 1 makes of the sum what it makes of the mean
    for (const float v : sum) squares += static_cast<double>(v) * v;
    if (squares > 0)
      for (float& v : sum) v = static_cast<float>(v / std::sqrt(squares));
  }
}

void EngineCore::sample_rows() {
  outcomes_.clear();
  const Act logits = runner_.workspace().logits;
  SequenceId over = -1;  // what was drafted behind did not come true
  for (const SampleRow& row : plan_.samples) {
    if (row.sequence == over) {
      outcomes_.push_back({});
      continue;
    }
    outcomes_.push_back(
        sample(choice(row.sequence), row, {logits.row(row.row), static_cast<size_t>(spec_.vocab)}));
    const Outcome& outcome = outcomes_.back();
    over = outcome.ends || outcome.token != row.draft ? row.sequence : -1;
  }
}

Outcome EngineCore::sample(Choice& choice, const SampleRow& row, std::span<float> logits) {
  Job& job = *choice.job;
  const Sequence& s = scheduler_.sequence(row.sequence);
  if (s.kind == SequenceKind::kScore) {
    job.values = log_softmax(logits.first(static_cast<size_t>(vocab_)));
    return {-1, true, FinishReason::kStop};
  }
  // A choice that forks in this step has no tokens of its own yet; its leader's are the same. What
  // was drafted and came true is among them.
  const Sequence& source = s.leader >= 0 ? scheduler_.sequence(s.leader) : s;
  const auto tokens = std::span(source.tokens).first(static_cast<size_t>(row.position));
  auto token = sampler_.sample(logits, job.settings, {tokens, source.prompt}, choice.index,
                               job.states[static_cast<size_t>(choice.index)]);
  if (!token) {
    choice.error = {ErrorCode::kInternal,
                    fmt::format("no token can be chosen at position {}: all logits are banned or "
                                "not finite",
                                row.position),
                    "check logit_bias, and the model with: aictl model verify"};
    return {-1, true, FinishReason::kFailed};
  }
  const int32_t chosen = token->id;
  if (std::binary_search(job.stop_tokens.begin(), job.stop_tokens.end(), chosen)) {
    choice.stop_token = chosen;
    return {chosen, true, FinishReason::kStop};
  }
  ++stats_.generated_tokens;
  job.dirty = true;
  job.generation->push(std::move(*token));
  return {chosen, false, FinishReason::kStop};
}

void EngineCore::on_end(const Ended& ended) {
  Choice& c = choice(ended.id);
  Job& job = *c.job;
  Finished end;
  end.reason = ended.reason;
  end.stop_token = c.stop_token;
  end.error = std::move(c.error);
  end.timings = ended.timings;
  const Sequence& s = scheduler_.sequence(ended.id);
  end.timings.disk_tokens = std::min(job.promoted.tokens, ended.timings.cached_tokens);
  end.timings.miss = miss_of(job, s, ended.timings, scheduler_.limits().prefix_cache);
  if (tiering_) tiering_->keep(s);
  if (ended.reason == FinishReason::kStop) end.values = std::move(job.values);
  stats_.cancelled += ended.reason == FinishReason::kCancelled;
  stats_.failed += ended.reason == FinishReason::kFailed;
  ++stats_.finished;
  job.ids[static_cast<size_t>(c.index)] = -1;
  --job.live;
  job.dirty = true;
  job.generation->finish(c.index, std::move(end));
  gate_.leave(1, clock_.now());
  c = {};
}

void EngineCore::end_all(FinishReason reason, const Error& error) {
  const Time now = clock_.now();
  for (auto& job : std::exchange(promoting_, {})) submit(std::move(job));
  for (const auto& job : jobs_)
    for (size_t i = 0; i < job->ids.size(); ++i) {
      const SequenceId id = job->ids[i];
      if (id < 0) continue;
      choice(id).error = error;
      scheduler_.end(id, now, reason);
    }
  publish();
  notify();
}

// Tells the askers once a step, and forgets the requests that are done. Whoever hears of an end
// finds its place in the queue free and the counters counted.
void EngineCore::notify() {
  for (size_t i = 0; i < jobs_.size();) {
    Job& job = *jobs_[i];
    const bool dirty = std::exchange(job.dirty, false);
    if (job.live > 0) {
      if (dirty) job.generation->notify();
      ++i;
      continue;
    }
    const std::unique_ptr<Job> done = std::move(jobs_[i]);
    jobs_[i] = std::move(jobs_.back());
    jobs_.pop_back();
    done->generation->notify();
  }
}

void EngineCore::publish() {
  const SchedulerStats s = scheduler_.stats();
  stats_.running = s.running;
  stats_.waiting = s.waiting;
  stats_.parked = s.parked;
  stats_.parkings = s.parkings;
  stats_.prompt_tokens = s.prompt_tokens;
  stats_.reused_tokens = s.reused_tokens;
  stats_.recomputed_tokens = s.recomputed_tokens;
  stats_.drafted_tokens = s.drafted_tokens;
  stats_.accepted_tokens = s.accepted_tokens;
  stats_.kv_blocks_used = scheduler_.pool().used();
  if (tiering_) stats_.disk = tiering_->stats();
  std::lock_guard lock(published_mutex_);
  published_ = stats_;
}

EngineStats EngineCore::stats() const {
  std::lock_guard lock(published_mutex_);
  return published_;
}

}  // namespace aictl::inference
