#include "core/load/page/page.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/load/page/style.hpp"
#include "core/load/page/svg.hpp"
#include "core/load/report/table.hpp"

namespace aictl::load {
namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : dump_json(value);
}

// The number at `key`, or nothing.
std::optional<double> number_at(const Json& tree, const std::string& key) {
  if (!tree.is_object()) return std::nullopt;
  const auto found = tree.find(key);
  if (found == tree.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

std::string section(std::string_view title, const std::string& body) {
  return fmt::format("<section><h2>{}</h2>{}</section>\n", escape_html(title), body);
}

// `texts`: how many of the first columns are words.
std::string table(const std::vector<std::string>& heads, const Rows& rows, size_t texts) {
  std::string out = "<table>";
  const auto line = [&](const std::vector<std::string>& cells, const char* tag) {
    out += "<tr>";
    for (size_t i = 0; i < cells.size(); ++i)
      out += fmt::format("<{0}{1}>{2}</{0}>", tag, i < texts ? " class=\"text\"" : "",
                         escape_html(cells[i]));
    out += "</tr>";
  };
  if (!heads.empty()) line(heads, "th");
  for (const auto& row : rows) line(row, "td");
  return out + "</table>";
}

std::string card(const std::string& value, std::string_view name) {
  return fmt::format("<div class=\"card\"><b>{}</b><span>{}</span></div>", escape_html(value),
                     escape_html(name));
}

std::string cards(const Json& result) {
  std::string out = "<div class=\"cards\">";
  const auto rate = [&](const char* name, std::string_view label) {
    if (const auto found = result["throughput"].find(name); found != result["throughput"].end())
      if (const auto value = number_at(*found, "value")) out += card(short_number(*value), label);
  };
  const auto latency = [&](const std::string& name, const std::string& key,
                           std::string_view label) {
    const auto found = result["metrics"].find(name);
    if (found == result["metrics"].end()) return;
    if (const auto value = number_at(*found, key)) out += card(short_number(*value) + " ms", label);
  };
  const bool open = result["load"]["mode"] == "open";
  rate("output_tps", "output tokens a second");
  rate("rps", "requests a second");
  const std::string ttft = open ? "ttft_plan" : "ttft";
  latency(ttft, "p50", "median time to first token");
  latency(ttft, "p99", "99th percentile of it");
  latency("tpot", "p50", "median time a token after");
  if (const auto good = number_at(result["goodput"], "percent"))
    out += card(short_number(*good) + " %", "requests within their limits");
  out += card(short_number(result["load"]["error_rate"].get<double>()) + " %", "requests failed");
  return out + "</div>\n";
}

std::string cdf_plot(const Json& result, const std::vector<std::string>& names) {
  std::vector<Series> series;
  for (const std::string& name : names) {
    const auto found = result["metrics"].find(name);
    if (found == result["metrics"].end() || !found->contains("cdf")) continue;
    Series one{name, {}};
    const Json& cdf = (*found)["cdf"];
    for (size_t i = 0; i < cdf.size(); ++i)
      one.points.emplace_back(cdf[i].get<double>(), static_cast<double>(i));
    series.push_back(std::move(one));
  }
  return line_plot(series, {"ms", "% of requests", true, true, 100.0});
}

std::string time_plot(const Json& result,
                      const std::vector<std::pair<const char*, std::string>>& keys,
                      const std::string& unit) {
  std::vector<Series> series;
  for (const auto& key : keys) {
    Series one{key.second, {}};
    for (const Json& row : result["timeseries"])
      one.points.emplace_back(row["t"].get<double>(), number_at(row, key.first));
    series.push_back(std::move(one));
  }
  return line_plot(series, {"seconds of the run", unit, false, true, {}});
}

std::string length_plot(const Json& result, const char* side, const std::string& what) {
  std::vector<Bar> bars;
  const Json& of = result["lengths"][side];
  for (const Json& bin : of["bins"])
    bars.push_back({bin[0].get<double>(), bin[1].get<double>(), bin[2].get<double>()});
  std::string note;
  if (const auto got = number_at(of, "got_mean")) {
    note = fmt::format("<p class=\"sub\">mean {}", short_number(*got));
    if (const auto asked = number_at(of, "asked_mean"))
      note += fmt::format(", asked for {}", short_number(*asked));
    note += "</p>";
  }
  return note + bar_plot(bars, {"tokens of " + what, "requests", false, true, {}});
}

std::string plots(const Json& result) {
  const bool open = result["load"]["mode"] == "open";
  std::string out = "<div class=\"plots\">";
  out += section("Time to first token, and whole requests",
                 cdf_plot(result, open ? std::vector<std::string>{"ttft_plan", "e2e_plan", "ttft"}
                                       : std::vector<std::string>{"ttft", "e2e"}));
  out += section("Between tokens", cdf_plot(result, {"itl", "tpot"}));
  out += section("Time to first token over time",
                 time_plot(result, {{"ttft_p50", "p50"}, {"ttft_p95", "p95"}}, "ms"));
  out += section("Between tokens over time",
                 time_plot(result, {{"itl_p50", "p50"}, {"itl_p95", "p95"}}, "ms"));
  out += section("Requests at once", time_plot(result, {{"running", "running"}}, "requests"));
  out +=
      section("Throughput over time", time_plot(result, {{"tps", "pieces of text"}}, "per second"));
  out += section("Lengths of prompts", length_plot(result, "in", "a prompt"));
  out += section("Lengths of answers", length_plot(result, "out", "an answer"));
  return out + "</div>\n";
}

std::string errors(const Json& result) {
  Rows rows;
  for (const Json& row : result["errors"])
    rows.push_back({text_of(row["class"]), text_of(row["example"]), text_of(row["n"])});
  if (rows.empty()) return section("Errors", "<p class=\"ok\">none</p>");
  return section("Errors", table({"class", "for example", "requests"}, rows, 2));
}

std::string thresholds(const Json& result) {
  const auto list = result.find("thresholds");
  if (list == result.end() || list->empty()) return "";
  std::string body =
      "<table><tr><th class=\"text\">limit</th><th>value</th><th>margin</th>"
      "<th>verdict</th><th class=\"text\">why</th></tr>";
  for (const Json& row : *list) {
    const std::string verdict = text_of(row["verdict"]);
    const auto shown = [&](const char* key) {
      const auto value = number_at(row, key);
      return value ? fmt::format("{} {}", short_number(*value), text_of(row["unit"])) : "-";
    };
    body += fmt::format(
        "<tr><td class=\"text\">{}</td><td>{}</td><td>{}</td><td class=\"{}\">{}</td>"
        "<td class=\"text\">{}</td></tr>",
        escape_html(text_of(row["text"])), escape_html(shown("value")),
        escape_html(shown("margin")),
        verdict == "pass"   ? "ok"
        : verdict == "fail" ? "bad"
                            : "warn",
        escape_html(verdict), escape_html(text_of(row["why"])));
  }
  return section("Limits", body + "</table>");
}

std::string steps(const Json& result) {
  Rows rows;
  for (const Json& step : result["steps"]) {
    const Json& metrics = step["metrics"];
    const auto shown = [&](const char* name, const char* key) -> std::string {
      const auto found = metrics.find(name);
      if (found == metrics.end()) return "-";
      const auto value = number_at(*found, key);
      return value ? short_number(*value) : "-";
    };
    rows.push_back({text_of(step["name"]), text_of(step["requests"]), text_of(step["completed"]),
                    short_number(step["output_tps"].get<double>()), shown("ttft_plan", "p50"),
                    shown("ttft_plan", "p95"), shown("tpot", "p50"), shown("e2e_plan", "p50")});
  }
  if (rows.empty()) return "";
  return section("Steps", table({"rate", "requests", "answered", "tok/s", "ttft p50", "ttft p95",
                                 "tpot p50", "e2e p50"},
                                rows, 1));
}

// Objects of plain values as rows, their names in front.
void flatten(const Json& tree, const std::string& prefix, Rows& rows) {
  for (const auto& item : tree.items()) {
    const std::string name = prefix.empty() ? item.key() : prefix + " " + item.key();
    if (item.value().is_object() && prefix.empty())
      flatten(item.value(), name, rows);
    else if (!item.value().is_null())
      rows.push_back({name, text_of(item.value())});
  }
}

std::string facts(std::string_view title, const Json& tree) {
  Rows rows;
  flatten(tree, "", rows);
  return section(title, table({}, rows, 2));
}

std::string badge(const Json& result) {
  const Json verdict = result.value("verdict", Json());
  if (!verdict.is_string()) return "";
  const std::string word = verdict;
  return fmt::format(" · <span class=\"{}\">{}</span>",
                     word == "ok"                                         ? "ok"
                     : word == "client_limited" || word == "inconclusive" ? "warn"
                                                                          : "bad",
                     escape_html(word));
}

}  // namespace

std::string result_page(const Json& result) {
  const std::string model = text_of(result["config"].value("model", Json("a server")));
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
      "<title>Load test of {0}</title>\n<style>{1}</style></head>\n<body><main>\n"
      "<h1>Load test of {0}</h1>\n<p class=\"sub\">{2} · {3} s · {4} loop{5}</p>\n",
      escape_html(model), kPageStyle, escape_html(text_of(result["run"]["started"])),
      short_number(result["run"]["seconds"].get<double>()),
      escape_html(text_of(result["load"]["mode"])), badge(result));
  out += cards(result);
  out += thresholds(result);
  out += plots(result);
  out += steps(result);
  out += section("Figures",
                 table({"metric", "unit", "n", "mean", "p50", "p90", "p95", "p99", "p99.9", "max"},
                       metric_rows(result), 2));
  Rows rows;
  for (const auto& one : summary_rows(result)) rows.push_back({one.first, one.second});
  out += section("The run", table({}, rows, 2));
  out += errors(result);
  out += facts("What was asked for", result["config"]);
  out += facts("Measured on", result["fingerprint"]);
  return out + "</main></body></html>\n";
}

}  // namespace aictl::load
