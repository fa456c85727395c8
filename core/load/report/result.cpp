#include "core/load/report/result.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <ctime>
#include <map>

#include <fmt/format.h>

#include "core/base/units.hpp"
#include "core/load/report/metrics.hpp"
#include "core/load/report/series.hpp"

namespace aictl::load {
namespace {

constexpr size_t kBatches = 10;
constexpr size_t kMostSamples = 20'000;  // of a metric, kept for comparisons
constexpr double kMostCpu = 0.8;         // of one processor, before this program is what limits
constexpr double kLeastLate = 1;         // ms of lateness that never matter

double rounded(double value) { return std::round(value * 1e3) / 1e3; }

std::string iso_time(int64_t unix_seconds) {
  const auto seconds = static_cast<std::time_t>(unix_seconds);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

// The requests that count for latencies: planned in the window, answered well.
std::vector<const Record*> measured_of(std::span<const Record* const> by_plan,
                                       const Window& window) {
  std::vector<const Record*> out;
  for (const Record* record : by_plan)
    if (record->ok() && window.has(*record)) out.push_back(record);
  return out;
}

Json metrics_json(std::span<const Record* const> measured, bool open_loop, uint64_t seed) {
  Json out = Json::object();
  // Open loop: neighbours in time share a queue, so that the seconds are drawn, not the requests.
  const auto block = [&](const Record& r, size_t i) {
    return open_loop ? static_cast<int64_t>(r.plan) : static_cast<int64_t>(i);
  };
  for (const Metric& metric : request_metrics()) {
    std::vector<double> values;
    std::vector<int64_t> blocks;
    for (size_t i = 0; i < measured.size(); ++i)
      if (const auto value = metric.of(*measured[i])) {
        values.push_back(*value);
        blocks.push_back(block(*measured[i], i));
      }
    if (!values.empty()) out[metric.name] = distribution_json(metric.unit, values, blocks, seed);
  }
  std::vector<double> gaps;
  std::vector<int64_t> blocks;
  for (size_t i = 0; i < measured.size(); ++i)
    for (const float gap : measured[i]->gaps) {
      gaps.push_back(double{gap} * 1e3);
      blocks.push_back(block(*measured[i], i));
    }
  if (!gaps.empty()) out["itl"] = distribution_json("ms", gaps, blocks, seed);
  return out;
}

// A rate over the window, with its interval by the means of equal parts.
template <typename Amount>
Json rate_json(std::string_view unit, std::span<const Record* const> finished, const Window& window,
               Amount amount) {
  std::vector<double> parts(kBatches, 0.0);
  double all = 0;
  for (const Record* record : finished) {
    const double value = amount(*record);
    all += value;
    const double place = (record->end - window.from) / window.seconds() * kBatches;
    parts[static_cast<size_t>(std::clamp(place, 0.0, kBatches - 1.0))] += value;
  }
  for (double& part : parts) part *= kBatches / window.seconds();
  Json out = {{"unit", unit}, {"value", rounded(all / window.seconds())}, {"batches", parts}};
  for (Json& part : out["batches"]) part = rounded(part.get<double>());
  if (const auto ci = mean_interval(parts); ci && finished.size() >= kBatches)
    out["ci95"] = Json::array({rounded(ci->low), rounded(ci->high)});
  return out;
}

Json throughput_json(std::span<const Record* const> by_plan, const Window& window,
                     const Concurrency& concurrency) {
  Json out = Json::object();
  if (!(window.seconds() > 0)) return out;
  std::vector<const Record*> finished;  // within the window: others are completed, not counted
  for (const Record* record : by_plan)
    if (record->ok() && record->end > window.from && record->end <= window.to)
      finished.push_back(record);
  out["rps"] = rate_json("req/s", finished, window, [](const Record&) { return 1.0; });
  out["output_tps"] = rate_json("tok/s", finished, window,
                                [](const Record& r) { return static_cast<double>(r.out); });
  out["total_tps"] = rate_json("tok/s", finished, window,
                               [](const Record& r) { return static_cast<double>(r.in + r.out); });
  out["concurrency"] = {
      {"unit", "req"}, {"value", rounded(concurrency.mean)}, {"peak", concurrency.peak}};
  int64_t in = 0, cached = 0;
  for (const Record* record : finished)
    if (record->cached >= 0) in += record->in, cached += record->cached;
  if (in > 0)
    out["cache_hits"] = {
        {"unit", "%"},
        {"value", rounded(100 * static_cast<double>(cached) / static_cast<double>(in))}};
  return out;
}

Json goodput_json(std::span<const Record* const> by_plan, const Window& window,
                  const std::vector<Slo>& slos, bool open_loop) {
  if (slos.empty()) return nullptr;
  uint64_t tried = 0, good = 0;
  double good_tokens = 0;
  for (const Record* record : by_plan) {
    if (!window.has(*record) || record->failure == Failure::kCancelled) continue;
    ++tried;
    const bool keeps = std::all_of(slos.begin(), slos.end(), [&](const Slo& slo) {
      const bool planned = open_loop && (slo.metric == "ttft" || slo.metric == "e2e");
      const Metric* metric = find_metric(planned ? slo.metric + "_plan" : slo.metric);
      const auto value = metric->of(*record);
      return !value || *value <= slo.limit;  // an answer of one token has no tpot to miss
    });
    if (!record->ok() || !keeps) continue;
    ++good;
    good_tokens += static_cast<double>(record->out);
  }
  const double seconds = window.seconds() > 0 ? window.seconds() : 1;
  Json limits = Json::object();
  for (const Slo& slo : slos) limits[slo.metric] = slo.limit;
  const double share = tried ? static_cast<double>(good) / static_cast<double>(tried) : 0;
  return {{"slo_ms", limits},
          {"requests", tried},
          {"good", good},
          {"percent", rounded(100 * share)},
          {"rps", rounded(static_cast<double>(good) / seconds)},
          {"output_tps", rounded(good_tokens / seconds)}};
}

Json errors_json(const Run& run) {
  Json out = Json::array();
  for (const Failure failure : kFailures) {
    std::map<std::string, uint64_t> kinds;
    uint64_t n = 0;
    for (const Record& record : run.records)
      if (record.failure == failure) ++n, ++kinds[record.error];
    if (n == 0) continue;
    const auto most =
        std::max_element(kinds.begin(), kinds.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    out.push_back({{"class", failure_name(failure)}, {"n", n}, {"example", most->first}});
  }
  return out;
}

Json load_json(const Run& run, const Json& metrics, const Window& window, bool saturated,
               uint64_t clipped) {
  uint64_t ok = 0, failed = 0, cancelled = 0, after = 0, by_server = 0;
  for (const Record& record : run.records) {
    ok += record.ok();
    cancelled += record.failure == Failure::kCancelled;
    failed += !record.ok() && record.failure != Failure::kCancelled;
    after += record.ok() && record.end > window.to;
    by_server += record.ok() && record.counted_by_server;
  }
  const uint64_t tried = ok + failed;
  const double cpu = run.wall > 0 ? run.cpu / run.wall : 0;
  Json out = {
      {"mode", run.open_loop ? "open" : "closed"},
      {"planned", run.planned},
      {"sent", run.records.size()},
      {"completed", ok},
      {"failed", failed},
      {"cancelled", cancelled},
      {"completed_after_end", after},
      {"clipped", clipped},
      {"error_rate",
       tried ? rounded(100 * static_cast<double>(failed) / static_cast<double>(tried)) : 0.0},
      {"tokens_by", by_server == ok ? "usage"
                    : by_server     ? "usage, pieces"
                                    : "pieces"},
      {"client_cpu", rounded(cpu)},
      {"client_limited", cpu > kMostCpu},
      {"saturated", saturated}};
  // In closed loop nothing is planned by the clock: there is no schedule to be late for.
  if (const auto late = metrics.find("late"); run.open_loop && late != metrics.end()) {
    const Json& of = *late;
    const Json p99 = of["p99"].is_null() ? of["max"] : of["p99"];
    out["late_ms"] = {{"p50", of["cdf"][50]}, {"p99", of["cdf"][99]}, {"max", of["max"]}};
    const double bound = std::max(kLeastLate, 0.01 * metrics["ttft"]["cdf"][50].get<double>());
    if (p99.get<double>() > bound) out["client_limited"] = true;
  }
  return out;
}

// Figures of each request, for comparisons: an even choice of them when there are too many.
Json samples_json(std::span<const Record* const> measured) {
  Json out = Json::object();
  const size_t stride = measured.size() / kMostSamples + 1;
  for (const char* name : {"ttft", "ttft_plan", "tpot", "e2e", "e2e_plan", "ntpot"}) {
    Json values = Json::array();
    for (size_t i = 0; i < measured.size(); i += stride)
      if (const auto value = find_metric(name)->of(*measured[i])) values.push_back(rounded(*value));
    out[name] = std::move(values);
  }
  return out;
}

Json steps_json(const std::vector<const Record*>& by_plan, const ResultOptions& options,
                bool open_loop) {
  Json out = Json::array();
  if (options.step_names.size() < 2) return out;
  for (size_t step = 0; step < options.step_names.size(); ++step) {
    std::vector<const Record*> of_step;
    double end = 0, from = 0;
    for (const Record* record : by_plan) {
      if (record->step != static_cast<int>(step)) continue;
      if (of_step.empty()) from = record->plan;
      of_step.push_back(record);
      end = std::max(end, record->plan);
    }
    if (of_step.empty()) continue;
    const Window window{from, std::max(end, from + 1e-3), 0};
    const auto measured = measured_of(of_step, window);
    Json metrics = metrics_json(measured, open_loop, options.seed);
    for (Json& metric : metrics) metric.erase("cdf");
    uint64_t tokens = 0;
    for (const Record* record : measured) tokens += static_cast<uint64_t>(record->out);
    out.push_back({{"name", options.step_names[step]},
                   {"from", rounded(from)},
                   {"to", rounded(end)},
                   {"requests", of_step.size()},
                   {"completed", measured.size()},
                   {"output_tps", rounded(static_cast<double>(tokens) / window.seconds())},
                   {"metrics", std::move(metrics)}});
  }
  return out;
}

}  // namespace

Result<std::vector<Slo>> parse_slos(std::string_view text) {
  std::vector<Slo> slos;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find_first_of(", ", at), text.size());
    const std::string_view one = text.substr(at, end - at);
    at = end + 1;
    const size_t colon = std::min(one.find(':'), one.size());
    const std::string_view limit = one.substr(std::min(colon + 1, one.size()));
    Slo slo{std::string(one.substr(0, colon)), 0};
    if (slo.metric == "e2el") slo.metric = "e2e";
    const auto [stop, wrong] =
        std::from_chars(limit.data(), limit.data() + limit.size(), slo.limit);
    if (wrong != std::errc() || stop != limit.data() + limit.size()) {
      auto duration = parse_duration(limit);
      slo.limit = duration ? std::chrono::duration<double, std::milli>(*duration).count() : 0;
    }
    const bool known = slo.metric == "ttft" || slo.metric == "tpot" || slo.metric == "e2e" ||
                       slo.metric == "ntpot" || slo.metric == "ttfot";
    if (!known || !(slo.limit > 0) || !std::isfinite(slo.limit))
      return Error{ErrorCode::kInvalidArgument, fmt::format("no limit of a latency '{}'", one),
                   "write ttft:500,tpot:50,e2e:5s: of ttft, ttfot, tpot, ntpot, e2e; ms if bare"};
    slos.push_back(std::move(slo));
  }
  return slos;
}

Json result_json(const Run& run, const ResultOptions& options) {
  std::vector<const Record*> by_plan;
  for (const Record& record : run.records) by_plan.push_back(&record);
  std::stable_sort(by_plan.begin(), by_plan.end(),
                   [](const Record* a, const Record* b) { return a->plan < b->plan; });
  const Window window = find_window(run, by_plan, options.warmup);
  const auto measured = measured_of(by_plan, window);
  const Concurrency concurrency = concurrency_of(by_plan, window);
  const bool saturated = run.open_loop && is_saturated(by_plan, concurrency, window);
  Json metrics = metrics_json(measured, run.open_loop, options.seed);
  const double bin = bin_seconds(run.wall);
  Json out = {{"schema", kSchema},
              {"run",
               {{"started", iso_time(run.unix_start)},
                {"seconds", rounded(run.wall)},
                {"window", {{"from", rounded(window.from)}, {"to", rounded(window.to)}}},
                {"warmup_requests", window.warmup_requests},
                {"bin_seconds", bin},
                {"interrupted", run.interrupted},
                {"notes", run.notes}}},
              {"fingerprint", options.fingerprint},
              {"config", options.config}};
  out["load"] = load_json(run, metrics, window, saturated, options.clipped);
  out["metrics"] = std::move(metrics);
  out["throughput"] = throughput_json(by_plan, window, concurrency);
  out["goodput"] = goodput_json(by_plan, window, options.slos, run.open_loop);
  out["errors"] = errors_json(run);
  out["lengths"] = lengths_json(measured);
  out["timeseries"] = timeseries_json(by_plan, run.wall, bin);
  out["steps"] = steps_json(by_plan, options, run.open_loop);
  out["samples"] = samples_json(measured);
  return out;
}

std::string requests_jsonl(const Run& run) {
  std::string out;
  for (const Record& r : run.records) {
    Json itl = Json::array();
    for (const float gap : r.gaps) itl.push_back(rounded(double{gap} * 1e3));
    Json line = {{"index", r.index},
                 {"step", r.step},
                 {"t_plan", rounded(r.plan * 1e3)},
                 {"t_start", rounded(r.start * 1e3)},
                 {"t_send", rounded(r.sent * 1e3)},
                 {"t_end", rounded(r.end * 1e3)},
                 {"ttft", r.pieces > 0 ? Json(rounded(r.ttft() * 1e3)) : Json()},
                 {"itl", std::move(itl)},
                 {"asked_in", r.asked_in},
                 {"asked_out", r.asked_out},
                 {"n_in", r.in},
                 {"n_out", r.out},
                 {"cached", r.cached >= 0 ? Json(r.cached) : Json()},
                 {"status", r.status},
                 {"failure", r.ok() ? Json() : Json(failure_name(r.failure))},
                 {"error", r.error.empty() ? Json() : Json(r.error)},
                 {"finish", r.finish}};
    out += dump_json(line) + "\n";
  }
  return out;
}

}  // namespace aictl::load
