// aictl bench compare: two results, and whether their difference is more than chance.
#include <memory>

#include <fmt/format.h>

#include "cmd/bench.hpp"
#include "core/cli/terminal/table.hpp"
#include "core/load/judge/compare.hpp"
#include "core/load/judge/threshold.hpp"
#include "core/load/report/result.hpp"
#include "core/load/report/table.hpp"

namespace aictl {
namespace {

struct Flags {
  std::string before, after;
  double noise = 2;  // percent
  bool force = false;
};

std::string percent(const Json& value) {
  return value.is_number() ? fmt::format("{:+.1f} %", value.get<double>()) : "-";
}

void print_table(const Json& report, std::ostream& out) {
  cli::Table table({"METRIC", "UNIT", "OLD", "NEW", "DELTA", "95 % OF DELTA", "P", ""});
  for (size_t column = 2; column < 7; ++column) table.right(column);
  for (const Json& row : report["rows"]) {
    const Json& ci = row["ci95"];
    const bool same = row["verdict"] == "~";
    table.row({row["metric"], row["unit"], load::short_number(row["old"].get<double>()),
               load::short_number(row["new"].get<double>()), same ? "~" : percent(row["delta"]),
               ci.is_array() ? fmt::format("{} .. {}", percent(ci[0]), percent(ci[1])) : "-",
               row["p_holm"].is_number() ? fmt::format("{:.3f}", row["p_holm"].get<double>()) : "-",
               same ? "" : row["verdict"].get<std::string>()});
  }
  for (const auto& item : report["geomean"].items())
    table.row({"geomean " + item.key(), "", "", "", percent(item.value())});
  table.print(out);
}

Result<int> compare(cli::Context& context, const Flags& flags) {
  auto before = load::read_result(flags.before);
  if (!before) return std::move(before).error();
  auto after = load::read_result(flags.after);
  if (!after) return std::move(after).error();
  const std::vector<std::string> different = load::incomparable(*before, *after);
  if (!different.empty() && !flags.force) {
    context.print_error({ErrorCode::kConflict,
                         fmt::format("{} and {} did not measure the same: {}", flags.before,
                                     flags.after, fmt::join(different, "; ")),
                         "--force compares them all the same"});
    return static_cast<int>(load::Verdict::kIncomparable);
  }
  load::CompareOptions options;
  options.noise = flags.noise / 100;
  Json report = load::compare_results(*before, *after, options);
  report["different"] = different;
  context.print_result(report, [&](std::ostream& out) { print_table(report, out); });
  for (const std::string& one : different) context.warn("not the same: " + one);
  for (const Json& note : report["notes"]) context.note(note.get<std::string>());
  return 0;
}

}  // namespace

cli::Command bench_compare_command() {
  auto flags = std::make_shared<Flags>();  // shared by the rows and run, as long as both
  cli::Command command;
  command.name = "compare";
  command.summary = "Compare two results of load tests: what changed, and is it chance";
  command.description =
      "Medians by Mann and Whitney's U on requests, p99 by bootstrap, rates by the parts of a run; "
      "p-values after Holm's correction. \"~\" stands where p is 0.05 or more or the change is "
      "within the noise. Results of another load, model or machine are refused with exit 3.";
  command.examples = {{"aictl bench compare old.json new.json", "did it get better"},
                      {"aictl bench compare old.json new.json --force", "on two machines"}};
  command.arguments = {{Row("A", &flags->before, "the result before").file()},
                       {Row("B", &flags->after, "the result after").file()}};
  std::vector<Row> rows;
  rows.push_back(Row("noise", &flags->noise, "percent; a smaller change is none").range(0, 100));
  rows.push_back(Row("force", &flags->force, "compare what did not measure the same"));
  command.options = Schema("bench.compare", std::move(rows));
  command.run = [flags](cli::Context& context) { return compare(context, *flags); };
  return command;
}

}  // namespace aictl
