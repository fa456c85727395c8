#include "core/load/report/table.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/load/report/metrics.hpp"
#include "core/load/stats/sample.hpp"

namespace aictl::load {
namespace {

std::string cell(const Json& of, const std::string& key) {
  const Json value = of.value(key, Json());
  return value.is_number() ? short_number(value.get<double>()) : "-";
}

// What people look at first stands first.
std::vector<std::string> ordered_names(const Json& metrics) {
  std::vector<std::string> names;
  for (const char* name : {"ttft", "ttft_plan", "ttfot", "itl", "tpot", "e2e", "e2e_plan"})
    if (metrics.contains(name)) names.emplace_back(name);
  for (const auto& item : metrics.items())
    if (std::find(names.begin(), names.end(), item.key()) == names.end())
      names.push_back(item.key());
  return names;
}

std::string csv_number(const Json& of, const std::string& key) {
  const Json value = of.value(key, Json());
  return value.is_number() ? dump_json(value) : "";
}

}  // namespace

std::string short_number(double value) {
  const double size = std::fabs(value);
  if (size >= 100 || value == std::round(value)) return fmt::format("{:.0f}", value);
  return fmt::format("{:.{}f}", value, size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

std::vector<std::vector<std::string>> metric_rows(const Json& result) {
  std::vector<std::vector<std::string>> rows;
  const Json& metrics = result["metrics"];
  const bool open = result["load"]["mode"] == "open";
  for (const std::string& name : ordered_names(metrics)) {
    const bool of_plan = name == "ttft_plan" || name == "e2e_plan" || name == "late";
    if (!open && (of_plan || name == "queue")) continue;  // closed loop: nothing was due
    if (name == "ttfot" && metrics[name].value("cdf", Json()) ==
                               metrics.value("ttft", Json::object()).value("cdf", Json()))
      continue;  // no model that reasons
    const Json& of = metrics[name];
    std::vector<std::string> row{name, of["unit"].get<std::string>(), cell(of, "n"),
                                 cell(of, "mean")};
    for (const double p : kPercentiles) row.push_back(cell(of, percentile_name(p)));
    row.push_back(cell(of, "max"));
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<std::pair<std::string, std::string>> summary_rows(const Json& result) {
  std::vector<std::pair<std::string, std::string>> rows;
  const Json &load = result["load"], &run = result["run"];
  rows.emplace_back("requests", fmt::format("{} sent, {} answered, {} failed ({} %)",
                                            cell(load, "sent"), cell(load, "completed"),
                                            cell(load, "failed"), cell(load, "error_rate")));
  rows.emplace_back("measured", fmt::format("{} s, after {} requests of warm-up",
                                            short_number(run["window"]["to"].get<double>() -
                                                         run["window"]["from"].get<double>()),
                                            cell(run, "warmup_requests")));
  for (const auto& item : result["throughput"].items()) {
    const Json& rate = item.value();
    std::string text = fmt::format("{} {}", cell(rate, "value"), rate["unit"].get<std::string>());
    if (rate.contains("ci95"))
      text += fmt::format("  (95 %: {} .. {})", short_number(rate["ci95"][0].get<double>()),
                          short_number(rate["ci95"][1].get<double>()));
    if (rate.contains("peak")) text += fmt::format("  (peak {})", cell(rate, "peak"));
    rows.emplace_back(item.key(), std::move(text));
  }
  if (const Json& goodput = result["goodput"]; goodput.is_object())
    rows.emplace_back("goodput", fmt::format("{} % of {} requests, {} req/s, {} tok/s",
                                             cell(goodput, "percent"), cell(goodput, "requests"),
                                             cell(goodput, "rps"), cell(goodput, "output_tps")));
  rows.emplace_back("client", fmt::format("{} % of a core{}",
                                          short_number(100 * load["client_cpu"].get<double>()),
                                          load.value("client_limited", Json()) == true
                                              ? ", LIMITED: it was late or busy itself"
                                              : ""));
  if (load.value("saturated", Json()) == true)
    rows.emplace_back("saturated", "yes: requests at once and waiting grew to the end");
  return rows;
}

std::string result_csv(const Json& result) {
  const std::vector<std::string> keys{"n",   "mean", "std", "min", "max",
                                      "p50", "p90",  "p95", "p99", "p99.9"};
  std::string out = fmt::format("metric,unit,value,{}\n", fmt::join(keys, ","));
  for (const auto& item : result["metrics"].items()) {
    out += fmt::format("{},{},", item.key(), item.value()["unit"].get<std::string>());
    for (const std::string& key : keys) out += "," + csv_number(item.value(), key);
    out += '\n';
  }
  const auto plain = [&](const std::string& name, const std::string& unit, const Json& value) {
    out += fmt::format("{},{},{}{}\n", name, unit, dump_json(value), std::string(keys.size(), ','));
  };
  for (const auto& item : result["throughput"].items())
    plain(item.key(), item.value()["unit"], item.value()["value"]);
  if (result["goodput"].is_object()) plain("goodput", "%", result["goodput"]["percent"]);
  plain("error_rate", "%", result["load"]["error_rate"]);
  return out;
}

}  // namespace aictl::load
