// The thread of an engine, its mailbox, and the checks before a request gets in.
#include "plugins/services/inference/engine.hpp"

#include <xxhash.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "core/base/channel.hpp"
#include "plugins/services/inference/engine_core.hpp"

namespace aictl::inference {
namespace {

const Clock kRealClock;

// What stopping waits for blocks to get to disk; what is not there then is computed again.
constexpr Duration kFlushLimit = std::chrono::seconds(10);

Result<void> check_tokens(const std::vector<int32_t>& tokens, int vocab) {
  for (size_t i = 0; i < tokens.size(); ++i)
    if (tokens[i] < 0 || tokens[i] >= vocab)
      return Error{
          ErrorCode::kInvalidArgument,
          fmt::format("prompt token {} at place {} is not in 0..{}", tokens[i], i, vocab - 1), ""};
  return {};
}

/// Who may share prefixes with whom: tenants never learn, by the time an answer takes, what others
/// have asked.
Salt salt_of(std::string_view tenant, std::string_view salt) {
  return {XXH3_64bits(tenant.data(), tenant.size()), XXH3_64bits(salt.data(), salt.size())};
}

// What computing takes, from which the scheduler predicts how long.
ModelWork work_of(const ModelSpec& spec, const Runner& runner, int kv_blocks) {
  const double hidden = spec.hidden, layers = spec.n_layers;
  ModelWork work;
  work.weight_bytes = static_cast<double>(runner.weight_bytes());
  work.position_bytes =
      static_cast<double>(runner.kv_bytes()) / (static_cast<double>(kv_blocks) * kKvBlockTokens);
  work.row_operations =
      2 * layers * hidden * (2.0 * spec.q_dim() + 2.0 * spec.kv_dim() + 3.0 * spec.ffn);
  work.logit_operations = 2 * hidden * spec.vocab;
  work.position_operations = 4 * layers * spec.q_dim();
  return work;
}

Result<SchedulerLimits> limits_of(const EngineOptions& options, const ModelSpec& spec) {
  const RunnerOptions& runner = options.runner;
  const auto refuse = [](std::string message, std::string hint) {
    return Error{ErrorCode::kInvalidArgument, std::move(message), std::move(hint)};
  };
  if (runner.max_rows < 2 || runner.max_logit_rows < 1 || runner.kv_blocks < 1)
    return refuse(fmt::format("an engine cannot work with {} rows, {} logit rows and {} KV blocks",
                              runner.max_rows, runner.max_logit_rows, runner.kv_blocks),
                  "");
  SchedulerLimits limits;
  limits.max_rows = runner.max_rows;
  limits.kv_blocks = runner.kv_blocks;
  limits.prefix_cache = options.prefix_cache;
  limits.max_logit_rows = runner.max_logit_rows;
  limits.token_latency = options.token_latency;
  limits.drafts = options.drafts;
  limits.draft_always = options.draft_always;
  limits.aging = std::clamp<Duration>(options.aging, Duration::zero(), std::chrono::hours(24));
  const int most =
      std::min(runner.max_logit_rows, runner.max_rows - prefill_chunk(runner.max_rows));
  limits.max_sequences = options.max_sequences > 0 ? options.max_sequences : most;
  if (limits.max_sequences > most)
    return refuse(fmt::format("{} sequences at once do not fit steps of {} rows and {} logit rows",
                              limits.max_sequences, runner.max_rows, runner.max_logit_rows),
                  fmt::format("at most {} do", most));
  const auto held = std::min<int64_t>(int64_t{runner.kv_blocks} * kKvBlockTokens, INT32_MAX);
  const int fits = static_cast<int>(std::min<int64_t>(spec.max_positions, held));
  limits.max_context = options.max_context > 0 ? options.max_context : fits;
  if (limits.max_context > fits)
    return refuse(fmt::format("a context of {} is more than the model's {} positions or the {} "
                              "tokens the KV cache holds",
                              limits.max_context, spec.max_positions, held),
                  "use a smaller context or give the KV cache more memory");
  if (options.vocab_tokens < 0 || options.vocab_tokens > spec.vocab)
    return refuse(fmt::format("{} tokens are more than the vocabulary's {}", options.vocab_tokens,
                              spec.vocab),
                  "");
  return limits;
}

}  // namespace

class Engine::Impl {
 public:
  Impl(EngineOptions options, const SchedulerLimits& limits, const ModelSpec& spec,
       std::unique_ptr<Runner> runner, std::unique_ptr<DiskStore> disk)
      : options_(std::move(options)),
        limits_(limits),
        spec_(spec),
        vocab_(options_.vocab_tokens > 0 ? options_.vocab_tokens : spec.vocab),
        clock_(options_.clock ? *options_.clock : kRealClock),
        runner_(std::move(runner)),
        disk_(std::move(disk)),
        gate_(std::max(0, options_.max_waiting) + limits.max_sequences),
        core_(limits_, vocab_, spec_, *runner_, gate_, clock_),
        mailbox_(static_cast<size_t>(gate_.limit()) + 1),  // and a wake-up
        thread_([this](std::stop_token stop) { loop(stop); }) {}

  ~Impl() {
    draining_ = true;
    thread_.request_stop();
    thread_.join();
  }

  Result<std::unique_ptr<Job>> job_of(GenerateRequest request) const;
  Result<std::unique_ptr<Job>> job_of(SequenceKind kind, std::vector<int32_t> tokens, int priority,
                                      Time deadline) const;
  Result<std::shared_ptr<Generation>> enqueue(std::unique_ptr<Job> job, std::function<void()> wake);
  bool drain(Time until);
  EngineStats stats() const;
  const ModelSpec& spec() const { return spec_; }
  int max_context() const { return limits_.max_context; }
  int max_choices() const { return std::min(kMaxChoices, gate_.limit()); }

 private:
  void loop(std::stop_token stop);
  void take(std::unique_ptr<Job> job);
  void wake();
  void tell_drain();

  const EngineOptions options_;
  const SchedulerLimits limits_;
  const ModelSpec spec_;
  const int vocab_;
  const Clock& clock_;
  const std::unique_ptr<Runner> runner_;
  std::unique_ptr<DiskStore> disk_;  // until the thread takes it
  QueueGate gate_;
  EngineCore core_;                        // the thread's own, but for stats()
  Channel<std::unique_ptr<Job>> mailbox_;  // null: a wake-up
  std::atomic<bool> woken_{false};         // one is in there
  std::atomic<uint64_t> requests_{0}, refused_{0};
  std::atomic<bool> draining_{false};
  std::mutex drain_mutex_;  // guards nothing but the wait below
  std::condition_variable empty_;
  std::jthread thread_;  // last: it uses all of the above
};

void Engine::Impl::loop(std::stop_token stop) {
  if (disk_ && limits_.prefix_cache) core_.open_tier(std::move(disk_), [this] { wake(); });
  while (!stop.stop_requested()) {
    if (core_.idle()) {  // sleeps until there is something to do
      auto job = mailbox_.receive(stop);
      if (!job) break;
      take(std::move(*job));
    }
    while (auto job = mailbox_.try_receive()) take(std::move(*job));
    core_.step();
    tell_drain();
  }
  mailbox_.close();
  while (auto job = mailbox_.try_receive()) take(std::move(*job));
  core_.end_all(FinishReason::kCancelled, {});
  tell_drain();
  core_.close_tier(kFlushLimit);
}

void Engine::Impl::take(std::unique_ptr<Job> job) {
  if (job)
    core_.admit(std::move(job));
  else
    woken_ = false;
}

// From the tier's threads: what they did is looked at in the next step.
void Engine::Impl::wake() {
  if (!woken_.exchange(true)) mailbox_.try_send(nullptr);
}

void Engine::Impl::tell_drain() {
  if (!draining_ || gate_.inside() > 0) return;
  { std::lock_guard lock(drain_mutex_); }  // who waits has looked, or has not begun to
  empty_.notify_all();
}

bool Engine::Impl::drain(Time until) {
  draining_ = true;
  std::unique_lock lock(drain_mutex_);
  const auto done = [this] { return gate_.inside() == 0; };
  if (until == Time::max()) return empty_.wait(lock, done), true;
  return empty_.wait_until(lock, until, done);
}

Result<std::unique_ptr<Job>> Engine::Impl::job_of(SequenceKind kind, std::vector<int32_t> tokens,
                                                  int priority, Time deadline) const {
  if (auto ok = Scheduler::can_fit(limits_, static_cast<int64_t>(tokens.size()), 0, 1); !ok)
    return std::move(ok).error();
  if (auto ok = check_tokens(tokens, vocab_); !ok) return std::move(ok).error();
  auto job = std::make_unique<Job>();
  job->request.kind = kind;
  job->request.prompt = std::move(tokens);
  job->request.priority = priority;
  job->request.deadline = deadline;
  return job;
}

Result<std::unique_ptr<Job>> Engine::Impl::job_of(GenerateRequest request) const {
  const auto prompt = static_cast<int64_t>(request.prompt.size());
  // Clients ask for more than a window holds all the time; such a generation ends with the window.
  const int64_t room = std::max<int64_t>(1, limits_.max_context - prompt);
  const int64_t max_tokens =
      request.max_tokens == 0 ? room : std::min<int64_t>(request.max_tokens, room);
  if (auto ok = Scheduler::can_fit(limits_, prompt, max_tokens, request.n); !ok)
    return std::move(ok).error();
  auto job = job_of(SequenceKind::kGenerate, std::move(request.prompt), request.priority,
                    request.deadline);
  if (!job) return std::move(job).error();

  std::vector<int32_t> stops = std::move(request.stop_tokens);
  if (!request.ignore_eos)
    stops.insert(stops.end(), options_.end_tokens.begin(), options_.end_tokens.end());
  std::sort(stops.begin(), stops.end());
  auto settings = prepare_sampling(std::move(request.sampling), std::move(request.dry_breakers),
                                   stops, request.min_tokens, vocab_);
  if (!settings) return std::move(settings).error();
  (*job)->settings = std::move(*settings);
  (*job)->stop_tokens = std::move(stops);
  (*job)->request.max_tokens = static_cast<int>(max_tokens);
  (*job)->request.n = request.n;
  (*job)->request.salt = salt_of(request.tenant, request.cache_salt);
  (*job)->request.reuse = request.reuse_prefix;
  return job;
}

Result<std::shared_ptr<Generation>> Engine::Impl::enqueue(std::unique_ptr<Job> job,
                                                          std::function<void()> wake) {
  const int n = job->request.n;
  if (n > max_choices())
    return Error{
        ErrorCode::kInvalidArgument,
        fmt::format("n {} is more than the {} choices that may run and wait", n, max_choices()),
        "ask for fewer choices at a time"};
  job->request.arrival = clock_.now();
  job->generation = std::make_shared<Generation>(n, std::move(wake));
  auto generation = job->generation;
  if (!gate_.enter(n)) {
    ++refused_;
    return Error{
        ErrorCode::kResourceExhausted,
        fmt::format("the queue is full: {} of {} places are taken, and {} {} needed",
                    gate_.inside(), gate_.limit(), n, n == 1 ? "is" : "are"),
        fmt::format("try again in {} ms",
                    std::chrono::ceil<std::chrono::milliseconds>(gate_.retry_after()).count())};
  }
  // Entered before looking: either drain() sees this request inside, or it is turned away here.
  if (draining_ || !mailbox_.try_send(std::move(job))) {
    gate_.undo(n);
    tell_drain();
    return Error{ErrorCode::kUnavailable, "the engine takes no new requests: it is draining",
                 "send it to another replica, or again after the restart"};
  }
  ++requests_;
  return generation;
}

EngineStats Engine::Impl::stats() const {
  EngineStats stats = core_.stats();
  stats.waiting = std::max(0, gate_.inside() - stats.running);
  stats.waiting_limit = gate_.limit() - limits_.max_sequences;
  stats.requests = requests_;
  stats.refused = refused_;
  stats.retry_after = gate_.retry_after();
  stats.draining = draining_;
  return stats;
}

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::start(EngineOptions options, const ModelSpec& spec,
                                              std::unique_ptr<Runner> runner,
                                              std::unique_ptr<DiskStore> disk) {
  auto limits = limits_of(options, spec);
  if (!limits) return std::move(limits).error().within("starting the engine");
  limits->work = work_of(spec, *runner, options.runner.kv_blocks);
  return std::unique_ptr<Engine>(new Engine(std::make_unique<Impl>(
      std::move(options), *limits, spec, std::move(runner), std::move(disk))));
}

Result<std::shared_ptr<Generation>> Engine::submit(GenerateRequest request,
                                                   std::function<void()> wake) {
  auto job = impl_->job_of(std::move(request));
  if (!job) return std::move(job).error();
  return impl_->enqueue(std::move(*job), std::move(wake));
}

Result<std::shared_ptr<Generation>> Engine::embed(EmbedRequest request,
                                                  std::function<void()> wake) {
  auto job = impl_->job_of(SequenceKind::kEmbed, std::move(request.tokens), request.priority,
                           request.deadline);
  if (!job) return std::move(job).error();
  (*job)->pooling = request.pooling;
  (*job)->request.salt = salt_of(request.tenant, "");
  return impl_->enqueue(std::move(*job), std::move(wake));
}

Result<std::shared_ptr<Generation>> Engine::score(std::vector<int32_t> tokens,
                                                  std::function<void()> wake) {
  auto job = impl_->job_of(SequenceKind::kScore, std::move(tokens), 0, Time::max());
  if (!job) return std::move(job).error();
  return impl_->enqueue(std::move(*job), std::move(wake));
}

namespace {

// The end of choice 0, or why it is none.
Result<Finished> outcome_of(const Generation& generation) {
  auto end = generation.finished();
  switch (end->reason) {
    case FinishReason::kStop:
    case FinishReason::kLength:
      return std::move(*end);
    case FinishReason::kFailed:
      return std::move(end->error);
    case FinishReason::kDeadline:
      return Error{ErrorCode::kDeadlineExceeded, "the deadline passed", ""};
    case FinishReason::kCancelled:
      break;
  }
  return Error{ErrorCode::kCancelled, "the request was cancelled", ""};
}

}  // namespace

Result<std::vector<TokenOut>> Engine::generate(GenerateRequest request) {
  request.n = 1;
  auto generation = submit(std::move(request));
  if (!generation) return std::move(generation).error();
  (*generation)->wait_done();
  auto end = outcome_of(**generation);
  if (!end) return std::move(end).error();
  return (*generation)->take();
}

Result<std::vector<float>> Engine::logprobs(std::vector<int32_t> tokens) {
  auto generation = score(std::move(tokens));
  if (!generation) return std::move(generation).error();
  (*generation)->wait_done();
  auto end = outcome_of(**generation);
  if (!end) return std::move(end).error();
  return std::move(end->values);
}

bool Engine::drain(Time until) { return impl_->drain(until); }
EngineStats Engine::stats() const { return impl_->stats(); }
const ModelSpec& Engine::spec() const { return impl_->spec(); }
int Engine::max_context() const { return impl_->max_context(); }
int Engine::max_choices() const { return impl_->max_choices(); }

}  // namespace aictl::inference
