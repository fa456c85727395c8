#include "core/load/report/metrics.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/load/stats/sample.hpp"

namespace aictl::load {
namespace {

constexpr int kFolds = 2000;
constexpr size_t kBatches = 10;

using Figure = std::optional<double>;

Figure ms(double seconds) { return seconds * 1e3; }
Figure count(int64_t tokens) {
  return tokens > 0 ? Figure(static_cast<double>(tokens)) : std::nullopt;
}

constexpr Metric kMetrics[] = {
    {"ttft", "ms", "time to first token, from sending",
     [](const Record& r) { return ms(r.ttft()); }},
    {"ttft_plan", "ms", "time to first token, from when it was due",
     [](const Record& r) { return ms(r.ttft_plan()); }},
    {"ttfot", "ms", "time to the first token that is no reasoning",
     [](const Record& r) { return r.first_answer > 0 ? ms(r.first_answer - r.sent) : Figure(); }},
    {"tpot", "ms", "time an output token after the first",
     [](const Record& r) { return r.out >= 2 ? ms(r.tpot()) : Figure(); }},
    {"e2e", "ms", "whole request, from sending", [](const Record& r) { return ms(r.e2e()); }},
    {"e2e_plan", "ms", "whole request, from when it was due",
     [](const Record& r) { return ms(r.end - r.plan); }},
    {"ntpot", "ms", "whole request over its output tokens",
     [](const Record& r) {
       return r.out > 0 ? ms(r.e2e() / static_cast<double>(r.out)) : Figure();
     }},
    {"user_tps", "tok/s", "output tokens a second of one user",
     [](const Record& r) { return r.tpot() > 0 ? Figure(1 / r.tpot()) : Figure(); }, true},
    {"queue", "ms", "wait in the client's queue",
     [](const Record& r) { return ms(r.start - r.handled); }},
    {"late", "ms", "lateness of the client itself",
     [](const Record& r) { return ms(r.handled - r.plan); }},
    {"in_tokens", "tok", "tokens of the prompt", [](const Record& r) { return count(r.in); }},
    {"out_tokens", "tok", "tokens of the answer", [](const Record& r) { return count(r.out); }},
};

// Figures to the microsecond (or thousandth of a token) and no further: files stay small.
double rounded(double value) { return std::round(value * 1e3) / 1e3; }

Json interval_json(const Interval& interval) {
  return Json::array({rounded(interval.low), rounded(interval.high)});
}

// The mean's interval by means of batches of neighbours: they are less dependent than values.
std::optional<Interval> mean_ci(std::span<const double> values) {
  if (values.size() < 2 * kBatches) return mean_interval(values);
  std::vector<double> batches;
  for (size_t i = 0; i < kBatches; ++i) {
    const size_t from = values.size() * i / kBatches, to = values.size() * (i + 1) / kBatches;
    batches.push_back(mean(values.subspan(from, to - from)));
  }
  return mean_interval(batches);
}

Json intervals_json(std::span<const double> values, std::span<const double> sorted,
                    std::span<const int64_t> blocks, uint64_t seed) {
  Json out = Json::object();
  if (const auto ci = mean_ci(values)) out["mean"] = interval_json(*ci);
  std::vector<double> ps;
  for (const double p : kPercentiles)
    if (enough_for(sorted.size(), p)) ps.push_back(p);
  if (ps.empty()) return out;
  const auto drawn = bootstrap_percentiles(values, blocks, ps, kFolds, seed);
  for (size_t i = 0; i < ps.size(); ++i)
    out[percentile_name(ps[i])] =
        interval_json(drawn ? (*drawn)[i] : order_interval(sorted, ps[i]));
  return out;
}

}  // namespace

std::span<const Metric> request_metrics() { return kMetrics; }

const Metric* find_metric(std::string_view name) {
  for (const Metric& metric : kMetrics)
    if (metric.name == name) return &metric;
  return nullptr;
}

std::string percentile_name(double p) { return fmt::format("p{:g}", p * 100); }

Json distribution_json(std::string_view unit, std::span<const double> values,
                       std::span<const int64_t> blocks, uint64_t seed) {
  Json out = {{"unit", unit}, {"n", values.size()}};
  if (values.empty()) return out;
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  out["mean"] = rounded(mean(sorted));
  out["std"] = rounded(deviation(sorted));
  out["min"] = rounded(sorted.front());
  out["max"] = rounded(sorted.back());
  for (const double p : kPercentiles)
    out[percentile_name(p)] =
        enough_for(sorted.size(), p) ? Json(rounded(percentile(sorted, p))) : Json();
  out["ci95"] = intervals_json(values, sorted, blocks, seed);
  Json cdf = Json::array();
  for (int i = 0; i <= 100; ++i) cdf.push_back(rounded(percentile(sorted, i / 100.0)));
  out["cdf"] = std::move(cdf);
  return out;
}

}  // namespace aictl::load
