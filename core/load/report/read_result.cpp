// Reading a result from a file: every value that tables, pages and comparisons rely on is looked
// at here, once, so that they need not ask.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/base/file.hpp"
#include "core/load/report/result.hpp"

namespace aictl::load {
namespace {

constexpr size_t kResultLimit = size_t{512} << 20;

bool is_number_or_null(const Json& tree) { return tree.is_number() || tree.is_null(); }

// Collects the first thing that is wrong.
class Checker {
 public:
  // The member `key` of `tree`; an empty object when it is not there or not what `fits` wants.
  template <typename Fits>
  const Json& need(const Json& tree, const std::string& place, const char* key, Fits fits) {
    static const Json kNothing = Json::object();
    const auto found = tree.is_object() ? tree.find(key) : tree.end();
    if (tree.is_object() && found != tree.end() && fits(*found)) return *found;
    fail(place + key);
    return kNothing;
  }
  const Json& object(const Json& tree, const std::string& place, const char* key) {
    return need(tree, place, key, [](const Json& v) { return v.is_object(); });
  }
  const Json& array(const Json& tree, const std::string& place, const char* key) {
    return need(tree, place, key, [](const Json& v) { return v.is_array(); });
  }
  void numbers(const Json& tree, const std::string& place,
               std::initializer_list<const char*> keys) {
    for (const char* key : keys)
      need(tree, place, key, [](const Json& v) { return v.is_number(); });
  }
  void maybe_numbers(const Json& tree, const std::string& place,
                     std::initializer_list<const char*> keys) {
    for (const char* key : keys) need(tree, place, key, is_number_or_null);
  }
  void texts(const Json& tree, const std::string& place, std::initializer_list<const char*> keys) {
    for (const char* key : keys)
      need(tree, place, key, [](const Json& v) { return v.is_string(); });
  }
  void pair(const Json& value, const std::string& place) {
    if (!value.is_array() || value.size() != 2 || !value[0].is_number() || !value[1].is_number())
      fail(place);
  }
  void fail(std::string what) {
    if (wrong.empty()) wrong = std::move(what);
  }

  std::string wrong;  // a path; empty: all is well
};

void check_distribution(Checker& check, const Json& of, const std::string& place) {
  check.texts(of, place, {"unit"});
  check.numbers(of, place, {"n", "mean", "std", "min", "max"});
  check.maybe_numbers(of, place, {"p50", "p90", "p95", "p99", "p99.9"});
  const Json& ci = check.object(of, place, "ci95");
  for (const auto& item : ci.items()) check.pair(item.value(), place + "ci95." + item.key());
  if (!of.is_object() || !of.contains("cdf")) return;  // a step's has none
  const Json& cdf = check.array(of, place, "cdf");
  if (cdf.size() != 101 ||
      !std::all_of(cdf.begin(), cdf.end(), [](const Json& v) { return v.is_number(); }))
    check.fail(place + "cdf");
}

void check_metrics(Checker& check, const Json& metrics, const std::string& place) {
  for (const auto& item : metrics.items())
    check_distribution(check, item.value(), place + item.key() + ".");
}

void check_throughput(Checker& check, const Json& throughput) {
  for (const auto& item : throughput.items()) {
    const std::string place = "throughput." + item.key() + ".";
    check.texts(item.value(), place, {"unit"});
    check.numbers(item.value(), place, {"value"});
    if (item.value().is_object() && item.value().contains("ci95"))
      check.pair(item.value()["ci95"], place + "ci95");
  }
}

void check_lengths(Checker& check, const Json& lengths) {
  for (const char* side : {"in", "out"}) {
    const std::string place = fmt::format("lengths.{}.", side);
    const Json& one = check.object(lengths, "lengths.", side);
    check.maybe_numbers(one, place, {"asked_mean", "got_mean"});
    for (const Json& bin : check.array(one, place, "bins"))
      if (!bin.is_array() || bin.size() != 3 ||
          !std::all_of(bin.begin(), bin.end(), [](const Json& v) { return v.is_number(); }))
        check.fail(place + "bins");
  }
}

void check_rows(Checker& check, const Json& tree) {
  for (const Json& row : check.array(tree, "", "timeseries")) {
    check.numbers(row, "timeseries[].", {"t", "rps", "tps", "running", "failed"});
    check.maybe_numbers(row, "timeseries[].", {"ttft_p50", "ttft_p95", "itl_p50", "itl_p95"});
  }
  for (const Json& row : check.array(tree, "", "errors")) {
    check.texts(row, "errors[].", {"class", "example"});
    check.numbers(row, "errors[].", {"n"});
  }
  for (const Json& row : check.array(tree, "", "steps")) {
    check.texts(row, "steps[].", {"name"});
    check.numbers(row, "steps[].", {"from", "to", "requests", "completed", "output_tps"});
    check_metrics(check, check.object(row, "steps[].", "metrics"), "steps[].metrics.");
  }
  for (const auto& item : check.object(tree, "", "samples").items())
    if (!item.value().is_array()) check.fail("samples." + item.key());
  if (!tree.contains("thresholds")) return;
  for (const Json& row : check.array(tree, "", "thresholds")) {
    check.texts(row, "thresholds[].", {"text", "unit", "verdict", "why"});
    check.maybe_numbers(row, "thresholds[].", {"value", "margin"});
    check.numbers(row, "thresholds[].", {"limit"});
  }
}

void check_result(Checker& check, const Json& tree) {
  const Json& run = check.object(tree, "", "run");
  check.texts(run, "run.", {"started"});
  check.numbers(run, "run.", {"seconds", "warmup_requests", "bin_seconds"});
  const Json& window = check.object(run, "run.", "window");
  check.numbers(window, "run.window.", {"from", "to"});
  check.array(run, "run.", "notes");
  const Json& fingerprint = check.object(tree, "", "fingerprint");
  for (const auto& item : fingerprint.items())
    if (item.value().is_object())
      for (const auto& inner : item.value().items())
        if (inner.value().is_object()) check.fail("fingerprint." + item.key() + "." + inner.key());
  check.object(tree, "", "config");
  const Json& load = check.object(tree, "", "load");
  check.texts(load, "load.", {"mode"});
  check.numbers(
      load, "load.",
      {"planned", "sent", "completed", "failed", "cancelled", "error_rate", "client_cpu"});
  check_metrics(check, check.object(tree, "", "metrics"), "metrics.");
  check_throughput(check, check.object(tree, "", "throughput"));
  const auto goodput = tree.find("goodput");
  if (goodput != tree.end() && goodput->is_object())
    check.numbers(*goodput, "goodput.", {"requests", "good", "percent", "rps", "output_tps"});
  else if (goodput == tree.end() || !goodput->is_null())
    check.fail("goodput");
  check_lengths(check, check.object(tree, "", "lengths"));
  check_rows(check, tree);
}

}  // namespace

Result<Json> read_result(const std::string& path) {
  auto text = read_file(path, kResultLimit);
  if (!text) return std::move(text).error();
  auto tree = parse_json(*text);
  if (!tree) return std::move(tree).error().within(path);
  const char* hint = "make one: aictl bench serve -o json > result.json";
  if (!tree->is_object() || tree->value("schema", Json()) != Json(kSchema))
    return Error{
        ErrorCode::kDataRefused,
        fmt::format("{}: no result of `aictl bench serve`: its schema is not '{}'", path, kSchema),
        hint};
  Checker check;
  check_result(check, *tree);
  if (!check.wrong.empty())
    return Error{ErrorCode::kDataRefused,
                 fmt::format("{}: '{}' is missing or not what it should be", path, check.wrong),
                 hint};
  return tree;
}

}  // namespace aictl::load
