// aictl bench report: a kept result, shown again or made into a page.
#include <memory>

#include "cmd/bench.hpp"
#include "cmd/bench_output.hpp"
#include "core/load/report/result.hpp"

namespace aictl {
namespace {

struct Flags {
  std::string result;
  BenchFiles files;
};

}  // namespace

cli::Command bench_report_command() {
  auto flags = std::make_shared<Flags>();  // shared by the rows and run, as long as both
  cli::Command command;
  command.name = "report";
  command.summary = "Show a result of a load test again, or make a page of it";
  command.examples = {{"aictl bench report result.json --html report.html", "a page with plots"},
                      {"aictl bench report result.json", "its tables"}};
  command.arguments = {{Row("RESULT", &flags->result, "what bench serve -o json printed").file()}};
  std::vector<Row> rows = file_rows(flags->files);
  command.options = Schema("bench.report", std::move(rows));
  command.run = [flags](cli::Context& context) -> Result<int> {
    auto result = load::read_result(flags->result);
    if (!result) return std::move(result).error();
    if (auto ok = write_files(flags->files, *result, nullptr); !ok) return std::move(ok).error();
    print_load_result(context, *result);
    return 0;
  };
  return command;
}

}  // namespace aictl
