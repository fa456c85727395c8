// A result as tables, and its files.
#include "cmd/bench_output.hpp"

#include <fmt/format.h>

#include "core/base/file.hpp"
#include "core/cli/terminal/table.hpp"
#include "core/load/page/page.hpp"
#include "core/load/report/result.hpp"
#include "core/load/report/table.hpp"

namespace aictl {
namespace {

void print_thresholds(const Json& thresholds, std::ostream& out) {
  if (thresholds.empty()) return;
  cli::Table table({"LIMIT", "VALUE", "VERDICT", "WHY"});
  for (const Json& row : thresholds)
    table.row({row["text"],
               row["value"].is_number()
                   ? fmt::format("{} {}", load::short_number(row["value"].get<double>()),
                                 row["unit"].get<std::string>())
                   : "-",
               row["verdict"], row["why"]});
  out << '\n';
  table.print(out);
}

void print_tables(const Json& result, std::ostream& out) {
  cli::Table summary({});
  for (const auto& one : load::summary_rows(result)) summary.row({one.first, one.second});
  summary.print(out);
  cli::Table metrics({"METRIC", "UNIT", "N", "MEAN", "P50", "P90", "P95", "P99", "P99.9", "MAX"});
  for (size_t column = 2; column < 10; ++column) metrics.right(column);
  for (auto& row : load::metric_rows(result)) metrics.row(std::move(row));
  if (!metrics.empty()) out << '\n';
  if (!metrics.empty()) metrics.print(out);
  if (!result["errors"].empty()) {
    cli::Table errors({"ERROR", "N", "FOR EXAMPLE"});
    errors.right(1);
    for (const Json& row : result["errors"])
      errors.row({row["class"], dump_json(row["n"]), row["example"]});
    out << '\n';
    errors.print(out);
  }
  print_thresholds(result.value("thresholds", Json::array()), out);
}

}  // namespace

std::vector<Row> file_rows(BenchFiles& files) {
  return {Row("html", &files.html, "write a page with plots, in one file").file(),
          Row("csv", &files.csv, "write the metrics as a table").file()};
}

Result<void> write_files(const BenchFiles& files, const Json& result, const load::Run* run) {
  if (!files.csv.empty())
    if (auto ok = write_file_atomically(files.csv, load::result_csv(result)); !ok) return ok;
  if (!files.html.empty())
    if (auto ok = write_file_atomically(files.html, load::result_page(result)); !ok) return ok;
  if (run && !files.requests.empty())
    return write_file_atomically(files.requests, load::requests_jsonl(*run));
  return {};
}

void print_load_result(cli::Context& context, const Json& result) {
  context.print_result(result, [&](std::ostream& out) { print_tables(result, out); });
  for (const Json& note : result["run"]["notes"])
    if (note.is_string()) context.note(note.get<std::string>());
}

}  // namespace aictl
