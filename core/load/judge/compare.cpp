#include "core/load/judge/compare.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "core/load/report/metrics.hpp"
#include "core/load/stats/sample.hpp"
#include "core/load/stats/tests.hpp"

namespace aictl::load {
namespace {

constexpr int kFolds = 2000;
constexpr uint64_t kSeed = 1;

double rounded(double value) { return std::round(value * 1e4) / 1e4; }

// The value at a path of keys; null when it is not there.
Json at(const Json& tree, std::initializer_list<const char*> path) {
  const Json* now = &tree;
  for (const char* key : path) {
    if (!now->is_object() || !now->contains(key)) return nullptr;
    now = &(*now)[key];
  }
  return *now;
}

std::vector<double> numbers(const Json& list) {
  std::vector<double> out;
  if (list.is_array())
    for (const Json& one : list)
      if (one.is_number()) out.push_back(one.get<double>());
  return out;
}

double median_of(std::vector<double> values, double p) {
  std::sort(values.begin(), values.end());
  return percentile(values, p);
}

std::optional<Json> latency_row(const Json& before, const Json& after, const std::string& name,
                                double p) {
  const std::vector<double> a = numbers(at(before, {"samples", name.c_str()})),
                            b = numbers(at(after, {"samples", name.c_str()}));
  if (a.empty() || b.empty() || !enough_for(std::min(a.size(), b.size()), p)) return std::nullopt;
  const double old_value = median_of(a, p), new_value = median_of(b, p);
  const Ratio ratio = bootstrap_ratio(a, b, p, kFolds, kSeed);
  const double p_value = p == 0.5 ? mann_whitney(a, b) : ratio.p_value;
  const double delta = old_value > 0 ? 100 * (new_value / old_value - 1) : 0;
  return Json{{"metric", fmt::format("{}_{}", percentile_name(p), name)},
              {"unit", "ms"},
              {"old", rounded(old_value)},
              {"new", rounded(new_value)},
              {"delta", rounded(delta)},
              {"ci95", Json::array({rounded(100 * (ratio.ci.low - 1)),
                                    rounded(100 * (ratio.ci.high - 1))})},
              {"p", p_value},
              {"more_is_better", false}};
}

std::optional<Json> rate_row(const Json& before, const Json& after, const std::string& name) {
  const Json was = at(before, {"throughput", name.c_str()}),
             is = at(after, {"throughput", name.c_str()});
  const Json old_value = at(was, {"value"}), new_value = at(is, {"value"});
  if (!old_value.is_number() || !new_value.is_number()) return std::nullopt;
  const double x = old_value, y = new_value;
  const std::vector<double> a = numbers(at(was, {"batches"})), b = numbers(at(is, {"batches"}));
  Json row = {{"metric", name},
              {"unit", at(was, {"unit"})},
              {"old", x},
              {"new", y},
              {"delta", x > 0 ? rounded(100 * (y / x - 1)) : 0.0},
              {"ci95", nullptr},
              {"p", a.empty() || b.empty() ? Json() : Json(mann_whitney(a, b))},
              {"more_is_better", true}};
  return row;
}

// Whether a result's requests were due at times of their own.
bool open_loop(const Json& result) { return at(result, {"load", "mode"}) == Json("open"); }

void judge(Json& rows, const CompareOptions& options) {
  std::vector<double> p_values;
  std::vector<size_t> of_row;
  for (size_t i = 0; i < rows.size(); ++i)
    if (rows[i]["p"].is_number()) {
      p_values.push_back(rows[i]["p"].get<double>());
      of_row.push_back(i);
    }
  const std::vector<double> corrected = holm(p_values);
  for (Json& row : rows) {
    row["p_holm"] = nullptr;
    row["verdict"] = "~";
  }
  for (size_t i = 0; i < of_row.size(); ++i) {
    Json& row = rows[of_row[i]];
    row["p_holm"] = corrected[i];
    const double delta = row["delta"];
    if (corrected[i] >= options.alpha || std::fabs(delta) < 100 * options.noise) continue;
    row["verdict"] = (delta > 0) == row["more_is_better"].get<bool>() ? "better" : "worse";
  }
}

Json geomean(const Json& rows, bool throughput) {
  double sum = 0;
  int n = 0;
  for (const Json& row : rows) {
    const double old_value = row["old"], new_value = row["new"];
    if (row["more_is_better"].get<bool>() != throughput || !(old_value > 0) || !(new_value > 0))
      continue;
    sum += std::log(new_value / old_value);
    ++n;
  }
  return n ? Json(rounded(100 * (std::exp(sum / n) - 1))) : Json();
}

}  // namespace

std::vector<std::string> incomparable(const Json& before, const Json& after) {
  std::vector<std::string> out;
  const auto check = [&](const std::string& what, const Json& a, const Json& b) {
    if (a != b) out.push_back(fmt::format("{}: {} and {}", what, dump_json(a), dump_json(b)));
  };
  // How long was measured and with which draws may differ: they are two samples of one thing.
  const Json &was = before["config"], &is = after["config"];
  const auto is_load = [](const std::string& key) {
    return key != "count" && key != "duration" && key != "seed" && key != "warmup" && key != "slo";
  };
  for (const auto& item : was.items())
    if (is_load(item.key())) check(item.key(), item.value(), is.value(item.key(), Json()));
  for (const auto& item : is.items())
    if (is_load(item.key()) && !was.contains(item.key())) check(item.key(), Json(), item.value());
  for (const char* key : {"topology_hash", "cpu", "gpus", "governor", "cpu_quota"})
    check(fmt::format("machine's {}", key), at(before, {"fingerprint", "machine", key}),
          at(after, {"fingerprint", "machine", key}));
  return out;
}

std::optional<Json> compare_figure(const Json& before, const Json& after, const std::string& name,
                                   double percentile) {
  return percentile > 0 ? latency_row(before, after, name, percentile)
                        : rate_row(before, after, name);
}

Json compare_results(const Json& before, const Json& after, const CompareOptions& options) {
  const bool planned = open_loop(before) && open_loop(after);
  Json rows = Json::array();
  const auto add = [&](const std::string& name, double p) {
    if (auto row = compare_figure(before, after, name, p)) rows.push_back(std::move(*row));
  };
  for (const char* name : {"ttft", "tpot", "e2e"}) {
    const bool has_plan = planned && std::string_view(name) != "tpot";
    for (const double p : {0.5, 0.99}) add(has_plan ? fmt::format("{}_plan", name) : name, p);
  }
  for (const char* name : {"rps", "output_tps", "total_tps"}) add(name, 0);
  judge(rows, options);
  Json notes = Json::array();
  notes.push_back(
      "requests of one run depend on each other: the p-values are too small; run several times "
      "before you trust a small change");
  const Json latency = geomean(rows, false), throughput = geomean(rows, true);
  return {{"rows", std::move(rows)},
          {"geomean", {{"latency", latency}, {"throughput", throughput}}},
          {"notes", std::move(notes)}};
}

}  // namespace aictl::load
