// aictl logs: what a process of a platform printed.
#include <memory>

#include "cmd/root.hpp"
#include "cmd/standing.hpp"
#include "core/cli/context.hpp"
#include "core/platform/run/inspect.hpp"

namespace aictl {

cli::Command logs_command(App&) {
  struct Flags {
    StandingFlags standing;
    std::string name;
    platform::LogOptions options;
  };
  auto flags = std::make_shared<Flags>();  // shared by the rows and run, as long as both
  cli::Command command;
  command.name = "logs";
  command.summary = "Print what a process of a platform printed";
  command.description =
      "Logs stay when a platform has stopped. Lines that start with 'aictl:' are about the process "
      "itself.";
  command.examples = {{"aictl logs chat --tail 100", "the last lines"},
                      {"aictl logs -f chat", "and what comes, until the platform stops"}};
  command.arguments = {{Row("NAME", &flags->name, "a process, as `aictl ps` names it")}};
  std::vector<Row> rows;
  rows.push_back(Row("follow", &flags->options.follow, "go on with what it prints").letter('f'));
  rows.push_back(Row("tail", &flags->options.tail, "only so many lines from the end")
                     .range(0, 1e9)
                     .spelled("all", -1));
  for (Row& row : standing_rows(flags->standing, false)) rows.push_back(std::move(row));
  for (Row& row : rows) command.options.append(Schema{std::move(row)});
  command.run = [flags](cli::Context& context) -> Result<int> {
    auto folder = find_standing(flags->standing, context);
    if (!folder) return std::move(folder).error();
    return platform::print_log(*folder, flags->name, flags->options, context);
  };
  return command;
}

}  // namespace aictl
