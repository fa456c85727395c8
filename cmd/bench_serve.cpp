// aictl bench serve: a server under load.
#include <algorithm>
#include <csignal>
#include <iostream>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "cmd/bench.hpp"
#include "cmd/bench_output.hpp"
#include "core/base/file.hpp"
#include "core/base/signals.hpp"
#include "core/cli/terminal/progress.hpp"
#include "core/load/drive/own_server.hpp"
#include "core/load/judge/threshold.hpp"
#include "core/load/report/metrics.hpp"
#include "core/load/session.hpp"

namespace aictl {
namespace {

struct Flags {
  std::vector<std::string> words;  // for a server of ours: models, and flags after --
  std::string key_file;
  load::SessionOptions session;
  double timeout = 600;
  bool completions = false, ignore_eos = true, insecure = false;
  std::vector<std::string> fail_if;
  std::string fail_on = "value";
  bool strict = false, allow_client_limit = false;
  BenchFiles files;
};

std::vector<Row> load_rows(load::SessionOptions& o) {
  return {
      Row("concurrency", &o.concurrency, "closed loop: users who each ask when they are answered")
          .range(0, 100000),
      Row("think", &o.think, "what a user waits in between: 2s, exp:2s, uniform:1s-3s"),
      Row("rate", &o.rate, "open loop: requests a second, whatever the answers do").range(0, 1e6),
      Row("arrival", &o.arrival, "how they scatter: poisson, constant, uniform, gamma:CV"),
      Row("ramp", &o.ramp, "open loop at a growing rate: linear:1..20 or exp:1..20"),
      Row("steps", &o.steps, "open loop at one rate after another: 1,2,4,8"),
      Row("step-time", &o.step_time, "how long each of them takes"),
      Row("trace", &o.trace, "open loop at recorded times: Mooncake, Azure or BurstGPT").file(),
      Row("speed", &o.speed, "how many times faster a trace is replayed").range(1e-6, 1e6),
      Row("max-concurrency", &o.max_concurrency, "open loop: more requests wait in our queue")
          .range(0, 1e6),
      Row("count", &o.requests, "requests to send; 100 when no duration says otherwise")
          .range(0, 5e7),
      Row("duration", &o.duration, "how long requests are sent")};
}

std::vector<Row> work_rows(load::SessionOptions& o) {
  return {
      Row("in", &o.in, "tokens of a prompt: 512, uniform:A-B, normal:M,S, lognormal:M,P99"),
      Row("out", &o.out, "tokens of an answer, the same way"),
      Row("prefix-share", &o.prefix_share, "0.5x2048: half of the prompts begin with 2048 alike"),
      Row("prefix-groups", &o.prefix_groups, "different such beginnings").range(1, 1e6),
      Row("dataset", &o.dataset, "prompts out of ShareGPT's JSON or of JSON lines").file(),
      Row("raw", &o.raw, "take its conversations whatever their length"),
      Row("max-model-len", &o.max_model_len, "clip longer requests; 0: send them").range(0, 1e8),
      Row("seed", &o.seed, "of all that is drawn")};
}

std::vector<Row> rows_of(Flags& f) {
  load::SessionOptions& o = f.session;
  std::vector<Row> rows{
      Row("url", &o.target.url, "the server; without one, ours is started").value("URL"),
      Row("model", &o.target.model, "the model to ask for; the first it lists"),
      Row("api-key-file", &f.key_file, "a file whose first line is the key").file(),
      Row("completions", &f.completions, "text completions instead of chat"),
      Row("ignore-eos", &f.ignore_eos, "ask for answers of exactly the wanted length"),
      Row("ca-file", &o.target.ca_file, "certificates to trust, PEM").file(),
      Row("insecure", &f.insecure, "trust any certificate"),
      Row("timeout", &f.timeout, "seconds an answer may take").range(0.001, 1e6)};
  for (auto more : {load_rows(o), work_rows(o)}) rows.insert(rows.end(), more.begin(), more.end());
  std::vector<Row> rest{
      Row("warmup", &o.warmup, "auto, a number of requests, or a time: not measured"),
      Row("slo", &o.slo, "what a good request keeps to: ttft:500,tpot:50"),
      Row("fail-if", &f.fail_if, "p99_ttft>200ms, goodput<95%, output_tps<5000, ...")
          .verbatim()
          .value("EXPR"),
      Row("fail-on", &f.fail_on, "decide by the value or its whole interval")
          .choices({"value", "ci"}),
      Row("strict", &f.strict, "exit 5 when the interval cannot decide"),
      Row("allow-client-limit", &f.allow_client_limit, "no exit 4 when this program was late")};
  rows.insert(rows.end(), rest.begin(), rest.end());
  for (Row& row : file_rows(f.files)) rows.push_back(std::move(row));
  rows.push_back(Row("requests", &f.files.requests, "write a JSON line a request").file());
  return rows;
}

Result<std::string> read_key(const std::string& path) {
  auto text = read_file(path, 1 << 20);
  if (!text) return std::move(text).error();
  std::string key = text->substr(0, text->find_first_of("\r\n"));
  const auto printable = [](unsigned char c) { return c > 0x20 && c < 0x7f; };
  if (key.empty() || !std::all_of(key.begin(), key.end(), printable))
    return Error{ErrorCode::kDataRefused, fmt::format("{}:1: not a key", path),
                 "the first line is the key alone"};
  return key;
}

// The metrics of a request, each with what it is.
std::string metric_words() {
  std::string out;
  for (const load::Metric& metric : load::request_metrics())
    out += fmt::format("{}{}: {}", out.empty() ? "" : "; ", metric.name, metric.help);
  return out;
}

// Everything about the flags that can be wrong, before anything is started.
struct Checked {
  load::Session session;
  std::vector<load::Threshold> thresholds;
};

Result<Checked> check(Flags& flags) {
  load::TargetOptions& target = flags.session.target;
  target.chat = !flags.completions;
  target.ignore_eos = flags.ignore_eos;
  target.verify_tls = !flags.insecure;
  target.timeout = flags.timeout;
  if (!target.url.empty() && !flags.words.empty())
    return Error{
        ErrorCode::kInvalidArgument,
        fmt::format("'{}' is for a server of ours, and --url names another", flags.words.front()),
        "give one of them; --model is the name a server lists"};
  if (!flags.key_file.empty()) {
    auto key = read_key(flags.key_file);
    if (!key) return std::move(key).error();
    target.key = std::move(*key);
  }
  std::vector<load::Threshold> thresholds;
  for (const std::string& text : flags.fail_if) {
    auto threshold = load::parse_threshold(text);
    if (!threshold) return std::move(threshold).error();
    thresholds.push_back(std::move(*threshold));
  }
  auto session = load::Session::prepare(flags.session);
  if (!session) return std::move(session).error();
  return Checked{std::move(*session), std::move(thresholds)};
}

Result<load::Session::Outcome> measure(App& app, cli::Context& context, load::Session& session) {
  // Before the first request is sent there is nothing to keep: a signal ends the program then.
  std::optional<Signals> signals;
  const Clock clock;
  const bool by_count = session.total_requests() > 0;
  cli::Progress progress(
      context, clock, "load",
      by_count ? session.total_requests() : static_cast<uint64_t>(session.total_seconds()));
  return session.run(
      bench_fingerprint(app), [&](std::string_view line) { context.note(line); },
      [&](const load::Live& live) {
        progress.update(by_count ? live.done : static_cast<uint64_t>(live.seconds));
        if (!signals) signals.emplace(std::initializer_list<int>{SIGINT, SIGTERM});
        return signals->count() == 0;
      });
}

Result<int> bench_serve(App& app, cli::Context& context, Flags& flags) {
  auto checked = check(flags);
  if (!checked) return std::move(checked).error();
  std::optional<load::OwnServer> server;
  if (flags.session.target.url.empty()) {
    context.note("starting a server");
    auto started = load::OwnServer::start("/proc/self/exe", flags.words);
    if (!started) return std::move(started).error();
    server = std::move(*started);
    checked->session.options().target.url = server->url();
  }
  auto outcome = measure(app, context, checked->session);
  if (!outcome) {
    const ErrorCode code = outcome.error().code;
    if (code == ErrorCode::kInvalidArgument || code == ErrorCode::kNotFound)
      return std::move(outcome).error();
    context.print_error(outcome.error());
    return static_cast<int>(load::Verdict::kErrors);
  }
  Json& result = outcome->result;
  if (server) result["run"]["seconds_to_ready"] = server->seconds_to_ready();
  server.reset();
  result["thresholds"] = Json::array();
  for (const load::Threshold& threshold : checked->thresholds) {
    auto row = load::check_threshold(threshold, result, flags.fail_on == "ci");
    if (!row) return std::move(row).error();
    result["thresholds"].push_back(std::move(*row));
  }
  const load::Verdict verdict = load::verdict_of(result, flags.allow_client_limit, flags.strict);
  result["verdict"] = load::verdict_name(verdict);
  if (auto ok = write_files(flags.files, result, &outcome->run); !ok) return std::move(ok).error();
  print_load_result(context, result);
  return static_cast<int>(verdict);
}

}  // namespace

cli::Command bench_serve_command(App& app) {
  auto flags = std::make_shared<Flags>();  // shared by the rows and run, as long as both
  cli::Command command;
  command.name = "serve";
  command.aliases = {"load"};
  command.summary = "Load-test a server that speaks the OpenAI API: latency, throughput, limits";
  command.description =
      "Sends requests when they are due, whatever the answers do, and says how long users waited: "
      "from when a request was due (ttft_plan, e2e_plan), and from when it was sent (ttft, e2e). "
      "Without --url a server of ours is started with MODEL, and stopped after; what stands after "
      "-- are its flags. The same command is called `aictl bench load`.\n\n"
      "Exit status: 0 fine, 1 a --fail-if holds, 2 wrong usage, 4 this program was too slow to "
      "measure, 5 a limit cannot be decided, 6 no answer or more than half of them failed, 130 "
      "interrupted (what was measured is still printed).\n\n"
      "-o json prints one object: run, fingerprint, config, load, metrics (of each: unit, n, mean, "
      "std, min, max, p50 to p99.9, ci95, cdf; null where requests are too few for a percentile), "
      "throughput, goodput, errors, lengths, timeseries, steps, samples, thresholds, verdict. The "
      "metrics: " +
      metric_words() + "; itl: time between two pieces of an answer.";
  command.examples = {
      {"aictl bench serve model.gguf --concurrency 8", "eight users of a server of ours"},
      {"aictl bench serve --url http://127.0.0.1:8000 --rate 4 --duration 60s", "open loop"},
      {"aictl bench serve --url http://127.0.0.1:8000 --rate 2 --fail-if 'p99_ttft>200ms'",
       "a gate"},
      {"aictl bench serve model.gguf -o json --html report.html > new.json", "to keep"},
      {"aictl bench serve model.gguf -- --concurrency 16", "with flags of aictl serve"}};
  command.arguments = {{Row("MODEL", &flags->words, "a model to serve").file(), false}};
  command.options = Schema("bench.serve", rows_of(*flags));
  command.run = [&app, flags](cli::Context& context) -> Result<int> {
    return bench_serve(app, context, *flags);
  };
  return command;
}

}  // namespace aictl
