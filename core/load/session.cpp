#include "core/load/session.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "core/base/file.hpp"

namespace aictl::load {
namespace {

constexpr uint64_t kDefaultRequests = 100;
constexpr uint64_t kMostRequests = 50'000'000;
constexpr size_t kFileLimit = size_t{2} << 30;

Error usage(std::string message, std::string hint) {
  return {ErrorCode::kInvalidArgument, std::move(message), std::move(hint)};
}

double seconds_of(std::chrono::milliseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

Result<Session> Session::prepare(SessionOptions options) {
  Session session(std::move(options));
  if (auto ok = session.read_load(); !ok) return std::move(ok).error();
  if (auto ok = session.read_workload(); !ok) return std::move(ok).error();
  auto warmup = parse_warmup(session.options_.warmup);
  if (!warmup) return std::move(warmup).error();
  session.warmup_ = *warmup;
  auto slos = parse_slos(session.options_.slo);
  if (!slos) return std::move(slos).error();
  session.slos_ = std::move(*slos);
  return session;
}

Result<void> Session::read_load() {
  const SessionOptions& o = options_;
  drive_.duration = seconds_of(o.duration);
  drive_.requests = static_cast<uint64_t>(o.requests);
  drive_.seed = static_cast<uint64_t>(o.seed);
  drive_.max_running = o.max_concurrency;
  drive_.timeout = o.target.timeout;
  const int open = (o.rate > 0) + !o.ramp.empty() + !o.steps.empty() + !o.trace.empty();
  if (open > 1)
    return usage("--rate, --ramp, --steps and --trace are four ways to say when requests come",
                 "give one of them");
  if (open == 1 && o.concurrency > 0)
    return usage("--concurrency is a closed loop, and the other flags ask for an open one",
                 "--max-concurrency bounds an open loop");
  if (open == 1 && !o.think.empty())
    return usage("--think is for a closed loop: --concurrency users who think", "");
  if (o.trace.empty() && o.speed != 1) return usage("--speed is the speed of a --trace", "");
  if (open == 0 && o.max_concurrency > 0)
    return usage("--max-concurrency bounds an open loop: a closed one has its users",
                 "write --concurrency");
  if (open == 0 || (o.trace.empty() && o.ramp.empty() && o.steps.empty()))
    if (drive_.requests == 0 && drive_.duration == 0) drive_.requests = kDefaultRequests;
  auto process = parse_arrival(o.arrival);
  if (!process) return std::move(process).error();
  if (open == 1) return read_open_loop(*process);
  auto think = parse_think(o.think);
  if (!think) return std::move(think).error();
  drive_.think = *think;
  drive_.users = std::max(1, o.concurrency);
  total_requests_ = drive_.requests;
  return {};
}

Result<void> Session::read_open_loop(const ArrivalProcess& process) {
  const SessionOptions& o = options_;
  if (!o.trace.empty()) return read_trace();
  const double forever = std::numeric_limits<double>::infinity();
  RateCurve curve{{forever, o.rate, o.rate}};
  if (!o.ramp.empty()) {
    if (drive_.duration == 0)
      return usage("a --ramp needs the time it takes", "give --duration, such as 60s");
    auto ramp = parse_ramp(o.ramp, drive_.duration);
    if (!ramp) return std::move(ramp).error();
    curve = std::move(*ramp);
  }
  if (!o.steps.empty()) {
    auto steps = parse_steps(o.steps, static_cast<double>(o.step_time.count()));
    if (!steps) return std::move(steps).error();
    curve = std::move(*steps);
    for (const RateSegment& one : curve) step_names_.push_back(fmt::format("{:g} req/s", one.from));
    if (drive_.duration == 0)
      drive_.duration =
          static_cast<double>(o.step_time.count() * static_cast<int64_t>(curve.size()));
  }
  const uint64_t most = drive_.requests ? drive_.requests : kMostRequests;
  const double end = drive_.duration > 0 ? drive_.duration : forever;
  drive_.arrivals = draw_arrivals(process, curve, most, end, drive_.seed);
  if (drive_.arrivals.empty())
    return usage("no request is due in the time given", "give more of --duration or --count");
  total_requests_ = drive_.arrivals.size();
  return {};
}

Result<void> Session::read_trace() {
  auto text = read_file(options_.trace, kFileLimit);
  if (!text) return std::move(text).error();
  auto trace = parse_trace(*text, options_.trace);
  if (!trace) return std::move(trace).error();
  if (trace->skipped > 0)
    notes_.push_back(
        fmt::format("{} rows of the trace had no tokens, and were left out", trace->skipped));
  for (const TraceRow& row : trace->rows) {
    const double at = row.at / options_.speed;
    if (drive_.duration > 0 && at >= drive_.duration) break;
    if (drive_.requests > 0 && drive_.arrivals.size() >= drive_.requests) break;
    drive_.arrivals.push_back({at, 0});
  }
  trace_ = std::move(trace->rows);
  total_requests_ = drive_.arrivals.size();
  return {};
}

Result<void> Session::read_workload() {
  auto in = parse_lengths(options_.in);
  if (!in) return std::move(in).error().within("--in");
  auto out = parse_lengths(options_.out);
  if (!out) return std::move(out).error().within("--out");
  work_.in = *in;
  work_.out = *out;
  work_.seed = drive_.seed;
  work_.max_tokens = options_.max_model_len;
  const bool made_up = options_.dataset.empty() && options_.trace.empty();
  if (!options_.prefix_share.empty()) {
    if (!made_up) return usage("--prefix-share is for synthetic prompts", "");
    auto share = parse_prefix_share(options_.prefix_share);
    if (!share) return std::move(share).error();
    work_.prefix = *share;
    work_.prefix.groups = options_.prefix_groups;
  }
  if (options_.dataset.empty()) return {};
  if (!options_.trace.empty())
    return usage("--dataset and --trace both say what is asked", "give one of them");
  auto text = read_file(options_.dataset, kFileLimit);
  if (!text) return std::move(text).error();
  auto dataset = parse_dataset(*text, options_.dataset);
  if (!dataset) return std::move(dataset).error();
  const bool chats = std::any_of(dataset->rows.begin(), dataset->rows.end(),
                                 [](const DatasetRow& row) { return !row.messages.is_null(); });
  if (chats && !options_.target.chat)
    return usage(fmt::format("{} has messages, which only chat completions take", options_.dataset),
                 "leave out --completions");
  dataset_ = std::move(*dataset);
  return {};
}

Json Session::config_json(const Target& target) const {
  const SessionOptions& o = options_;
  Json out = {{"model", target.options().model},
              {"endpoint", target.path()},
              {"mode", drive_.users ? "closed" : "open"}};
  const auto set = [&](const char* key, const Json& value, bool given) {
    if (given) out[key] = value;
  };
  set("concurrency", drive_.users, drive_.users > 0);
  set("think", o.think, !o.think.empty());
  set("rate", o.rate, o.rate > 0);
  set("arrival", o.arrival, drive_.users == 0 && o.trace.empty());
  set("ramp", o.ramp, !o.ramp.empty());
  set("steps", o.steps, !o.steps.empty());
  set("step_seconds", o.step_time.count(), !o.steps.empty());
  set("trace", o.trace, !o.trace.empty());
  set("speed", o.speed, !o.trace.empty());
  set("max_concurrency", o.max_concurrency, o.max_concurrency > 0);
  set("count", o.requests, o.requests > 0);
  set("duration", drive_.duration, drive_.duration > 0);
  const bool made_up = o.dataset.empty() && o.trace.empty();
  set("dataset", o.dataset, !o.dataset.empty());
  set("raw", o.raw, o.raw);
  set("in", o.in, made_up);
  set("out", o.out, o.trace.empty());
  set("prefix_share", o.prefix_share, !o.prefix_share.empty());
  set("prefix_groups", o.prefix_groups, !o.prefix_share.empty());
  set("max_model_len", o.max_model_len, o.max_model_len > 0);
  set("ignore_eos", target.options().ignore_eos, true);
  set("warmup", o.warmup, true);
  set("slo", o.slo, !o.slo.empty());
  set("seed", o.seed, true);
  return out;
}

Result<Workload> Session::make_workload(Target& target) {
  auto lexicon = target.lexicon();
  if (!lexicon) return std::move(lexicon).error();
  if (!trace_.empty()) return Workload(work_, std::move(*lexicon), std::move(trace_));
  if (dataset_.rows.empty()) return Workload(work_, std::move(*lexicon));
  if (dataset_.format == "sharegpt" && !options_.raw) {
    // Without a tokenizer a length is estimated by what the words of the probes cost.
    const double word = lexicon->words.front().tokens;
    const auto count = [&](const std::string& text) -> Result<int64_t> {
      if (lexicon->source == "tokenizer") return target.count_tokens(text);
      return static_cast<int64_t>(
          word * static_cast<double>(1 + std::count(text.begin(), text.end(), ' ')));
    };
    const uint64_t wanted = total_requests_ ? total_requests_ : dataset_.rows.size();
    if (auto ok = fit_dataset(dataset_, wanted, count); !ok) return std::move(ok).error();
  }
  return Workload(work_, std::move(*lexicon), std::move(dataset_));
}

Result<Session::Outcome> Session::run(Json fingerprint,
                                      const std::function<void(std::string_view)>& note,
                                      const std::function<bool(const Live&)>& watch) {
  auto target = Target::open(options_.target);
  if (!target) return std::move(target).error();
  note(fmt::format("driving {} at {}", target->options().model,
                   target->facts()["url"].get<std::string>()));
  auto workload = make_workload(*target);
  if (!workload) return std::move(workload).error();
  drive_.url = options_.target.url;
  drive_.path = target->path();
  drive_.headers = target->headers();
  drive_.verify_tls = options_.target.verify_tls;
  drive_.ca_file = options_.target.ca_file;
  drive_.exact_length = options_.target.ignore_eos;
  auto run = drive(
      drive_,
      [&](uint64_t index) {
        const Ask ask = workload->ask(index);
        return Prepared{target->body(ask.prompt, ask.out_tokens), ask.in_tokens, ask.out_tokens};
      },
      watch);
  if (!run) return std::move(run).error();
  run->notes = notes_;
  if (workload->lexicon().source == "usage")
    run->notes.push_back("the server has no /tokenize: lengths of prompts are about right");
  fingerprint["server"] = target->facts();
  fingerprint["seed"] = options_.seed;
  ResultOptions options;
  options.config = config_json(*target);
  options.fingerprint = std::move(fingerprint);
  options.warmup = warmup_;
  options.slos = slos_;
  options.seed = drive_.seed;
  options.clipped = workload->clipped();
  options.step_names = step_names_;
  Json result = result_json(*run, options);
  return Outcome{std::move(*run), std::move(result)};
}

}  // namespace aictl::load
