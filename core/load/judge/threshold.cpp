#include "core/load/judge/threshold.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "core/load/drive/record.hpp"
#include "core/load/judge/compare.hpp"
#include "core/load/report/metrics.hpp"
#include "core/load/report/result.hpp"

namespace aictl::load {
namespace {

constexpr double kMostErrors = 50;  // percent; above, the server was not measured

struct Unit {
  std::string_view word, of;  // as written; the unit it is a multiple of
  double factor;
};
constexpr Unit kUnits[] = {{"ms", "ms", 1},  {"us", "ms", 1e-3},    {"s", "ms", 1e3},
                           {"%", "%", 1},    {"tok/s", "tok/s", 1}, {"req/s", "req/s", 1},
                           {"tok", "tok", 1}};

constexpr std::string_view kRates[] = {"rps", "output_tps", "total_tps", "concurrency"};

bool is_rate(std::string_view metric) {
  return std::find(std::begin(kRates), std::end(kRates), metric) != std::end(kRates);
}

std::string_view unit_of(const Threshold& threshold) {
  if (threshold.metric == "goodput") return threshold.per_second ? "req/s" : "%";
  if (threshold.metric == "error_rate") return "%";
  if (threshold.metric == "rps") return "req/s";
  if (threshold.metric == "output_tps" || threshold.metric == "total_tps") return "tok/s";
  if (threshold.metric == "concurrency") return "req";
  if (threshold.metric == "itl") return "ms";
  return find_metric(threshold.metric)->unit;
}

Error bad(std::string_view text, std::string why) {
  return {ErrorCode::kInvalidArgument, fmt::format("--fail-if '{}': {}", text, why),
          "write p99_ttft>200ms, mean_tpot>=50ms, goodput<95%, error_rate>0.1%, output_tps<5000 or "
          "p99_ttft>+5%@base.json"};
}

// "p99_ttft" to its parts; false when it names nothing.
bool read_name(std::string_view name, Threshold& out) {
  const size_t dot = name.rfind('.');
  if (name.starts_with("error_rate.")) {
    out.failure = name.substr(dot + 1);
    name = name.substr(0, dot);
    if (std::none_of(kFailures.begin(), kFailures.end(),
                     [&](Failure f) { return failure_name(f) == out.failure; }))
      return false;
  }
  for (const std::string_view aggregate : {"mean_", "min_", "max_", "ci_hi_", "ci_lo_"})
    if (name.starts_with(aggregate)) {
      out.aggregate = aggregate.substr(0, aggregate.size() - 1);
      name.remove_prefix(aggregate.size());
    }
  for (const double p : kPercentiles)
    if (const std::string word = percentile_name(p) + "_"; name.starts_with(word)) {
      out.aggregate = word.substr(0, word.size() - 1);
      name.remove_prefix(word.size());
    }
  out.metric = name;
  const bool whole = name == "goodput" || name == "error_rate" || is_rate(name);
  if (whole) return out.aggregate.empty();
  if (out.metric.ends_with("_send")) out.metric.resize(out.metric.size() - 5);
  return !out.aggregate.empty() && (out.metric == "itl" || find_metric(out.metric));
}

// The interval of what the threshold speaks of; nullopt without one.
struct Figure {
  std::optional<double> value, low, high;
  std::string why;  // there is no value
};

void set_interval(Figure& figure, const Json& ci) {
  if (!ci.is_array() || ci.size() != 2) return;
  figure.low = ci[0].get<double>();
  figure.high = ci[1].get<double>();
}

Figure distribution_figure(const Threshold& threshold, const Json& result) {
  std::string name = threshold.metric;
  // Waiting in this program's own queue is waiting, too: open loop counts from when it was due.
  const bool sent = threshold.text.find("_send") != std::string::npos;
  if (result["load"]["mode"] == "open" && !sent && (name == "ttft" || name == "e2e"))
    name += "_plan";
  Figure figure;
  const auto found = result["metrics"].find(name);
  if (found == result["metrics"].end()) {
    figure.why = fmt::format("no request has a {}", name);
    return figure;
  }
  const Json& of = *found;
  const Json ci = of.value("ci95", Json::object());
  if (threshold.aggregate.starts_with("ci_")) {
    const Json bounds = ci.value("mean", Json());
    if (bounds.is_array())
      figure.value = bounds[threshold.aggregate == "ci_hi" ? 1 : 0].get<double>();
    if (!figure.value) figure.why = "too few requests for an interval";
    return figure;
  }
  const Json value = of.value(threshold.aggregate, Json());
  if (!value.is_number()) {
    figure.why =
        fmt::format("{} requests are too few for a {}", dump_json(of["n"]), threshold.aggregate);
    return figure;
  }
  figure.value = value.get<double>();
  set_interval(figure, ci.value(threshold.aggregate, Json()));
  return figure;
}

Figure figure_of(const Threshold& threshold, const Json& result) {
  Figure figure;
  if (threshold.metric == "error_rate") {
    const double tried =
        result["load"]["completed"].get<double>() + result["load"]["failed"].get<double>();
    double n = threshold.failure.empty() ? result["load"]["failed"].get<double>() : 0;
    for (const Json& row : result["errors"])
      if (row["class"] == Json(threshold.failure)) n = row["n"].get<double>();
    if (tried > 0)
      figure.value = 100 * n / tried;
    else
      figure.why = "no request was answered";
    return figure;
  }
  if (threshold.metric == "goodput") {
    const Json& goodput = result["goodput"];
    if (goodput.is_object())
      figure.value = goodput[threshold.per_second ? "rps" : "percent"].get<double>();
    else
      figure.why = "goodput needs limits: --slo ttft:500,tpot:50";
    return figure;
  }
  if (!is_rate(threshold.metric)) return distribution_figure(threshold, result);
  const auto rate = result["throughput"].find(threshold.metric);
  if (rate == result["throughput"].end()) {
    figure.why = "nothing was measured";
    return figure;
  }
  figure.value = (*rate)["value"].get<double>();
  set_interval(figure, rate->value("ci95", Json()));
  return figure;
}

bool beyond(const std::string& op, double value, double limit) {
  if (op == ">") return value > limit;
  if (op == ">=") return value >= limit;
  if (op == "<") return value < limit;
  return value <= limit;
}

// A relative limit in absolute terms; `same`: the difference may be chance.
struct Relative {
  double limit = 0;
  bool same = false;
};

Result<Relative> against_baseline(const Threshold& threshold, const Json& result) {
  auto base = read_result(threshold.baseline);
  if (!base) return std::move(base).error();
  const Figure was = figure_of(threshold, *base);
  if (!was.value)
    return Error{ErrorCode::kDataRefused, fmt::format("{}: {}", threshold.baseline, was.why), ""};
  Relative out{*was.value * (1 + threshold.limit / 100), false};
  double p = 0;
  for (const double one : kPercentiles)
    if (percentile_name(one) == threshold.aggregate) p = one;
  std::string name = threshold.metric;
  if (result["load"]["mode"] == "open" && (name == "ttft" || name == "e2e")) name += "_plan";
  if (const auto row = compare_figure(*base, result, name, is_rate(name) ? 0 : p ? p : 0.5))
    if ((*row)["p"].is_number()) out.same = (*row)["p"].get<double>() >= 0.05;
  return out;
}

}  // namespace

Result<Threshold> parse_threshold(std::string_view text) {
  Threshold out;
  out.text = text;
  const size_t at = text.find_first_of("<>");
  if (at == text.npos) return bad(text, "there is no < or > in it");
  std::string_view name = text.substr(0, at), rest = text.substr(at);
  const size_t op = rest.size() > 1 && rest[1] == '=' ? 2 : 1;
  out.op = rest.substr(0, op);
  rest.remove_prefix(op);
  while (name.ends_with(' ')) name.remove_suffix(1);
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  if (!read_name(name, out)) return bad(text, fmt::format("there is no figure '{}'", name));
  if (const size_t file = rest.find('@'); file != rest.npos) {
    out.baseline = rest.substr(file + 1);
    rest = rest.substr(0, file);
    if (out.baseline.empty()) return bad(text, "a file stands after @");
  }
  const bool relative = !out.baseline.empty();
  if (relative && rest.starts_with('+')) rest.remove_prefix(1);
  const auto [end, wrong] = std::from_chars(rest.data(), rest.data() + rest.size(), out.limit);
  if (wrong != std::errc() || !std::isfinite(out.limit))
    return bad(text, fmt::format("'{}' is no number", rest));
  std::string_view unit = rest.substr(static_cast<size_t>(end - rest.data()));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  if (relative)
    return unit == "%" ? Result<Threshold>(out) : bad(text, "a change is in percent: +5%@FILE");
  if (unit.empty()) return out;
  out.per_second = out.metric == "goodput" && unit == "req/s";
  for (const Unit& one : kUnits)
    if (one.word == unit && one.of == unit_of(out)) {
      out.limit *= one.factor;
      return out;
    }
  return bad(text, fmt::format("{} is in {}, not in '{}'", out.metric, unit_of(out), unit));
}

Result<Json> check_threshold(const Threshold& threshold, const Json& result, bool by_interval) {
  const Figure figure = figure_of(threshold, result);
  double limit = threshold.limit;
  bool same = false;
  if (!threshold.baseline.empty()) {
    auto relative = against_baseline(threshold, result);
    if (!relative) return std::move(relative).error();
    limit = relative->limit;
    same = relative->same;
  }
  Json out = {{"text", threshold.text},
              {"metric", threshold.metric},
              {"value", figure.value ? Json(*figure.value) : Json()},
              {"limit", limit},
              {"unit", unit_of(threshold)},
              {"margin", figure.value ? Json(limit - *figure.value) : Json()},
              {"decided_by", by_interval ? "ci" : "value"}};
  std::string verdict = "pass", why = figure.why;
  if (!figure.value) {
    verdict = "inconclusive";
  } else if (by_interval && figure.low && figure.high) {
    const bool low = beyond(threshold.op, *figure.low, limit),
               high = beyond(threshold.op, *figure.high, limit);
    verdict = low && high ? "fail" : low || high ? "inconclusive" : "pass";
    if (low != high)
      why = fmt::format("the limit is within the interval {:g}..{:g}", *figure.low, *figure.high);
  } else if (beyond(threshold.op, *figure.value, limit)) {
    verdict = same ? "pass" : "fail";
    if (same) why = "the difference may be chance";
  }
  out["verdict"] = verdict;
  out["why"] = why;
  return out;
}

Verdict verdict_of(const Json& result, bool allow_client_limit, bool strict) {
  if (result["run"]["interrupted"] == true) return Verdict::kInterrupted;
  const Json& load = result["load"];
  if (load["completed"] == 0 || load["error_rate"].get<double>() > kMostErrors)
    return Verdict::kErrors;
  if (load["client_limited"] == true && !allow_client_limit) return Verdict::kClientLimited;
  bool undecided = false;
  for (const Json& row : result.value("thresholds", Json::array())) {
    if (row["verdict"] == "fail") return Verdict::kFailed;
    // Without a value there is nothing to be lenient about.
    if (row["verdict"] == "inconclusive") undecided |= strict || row["value"].is_null();
  }
  return undecided ? Verdict::kInconclusive : Verdict::kOk;
}

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kOk:
      return "ok";
    case Verdict::kFailed:
      return "failed";
    case Verdict::kIncomparable:
      return "incomparable";
    case Verdict::kClientLimited:
      return "client_limited";
    case Verdict::kInconclusive:
      return "inconclusive";
    case Verdict::kErrors:
      return "errors";
    case Verdict::kInterrupted:
      return "interrupted";
  }
  return "ok";
}

}  // namespace aictl::load
