// aictl down: a platform that is up stops.
#include <memory>

#include "cmd/root.hpp"
#include "cmd/standing.hpp"
#include "core/cli/context.hpp"
#include "core/platform/run/inspect.hpp"

namespace aictl {

cli::Command down_command(App&) {
  struct Flags {
    StandingFlags standing;
    std::chrono::seconds timeout{0};
    bool now = false;
  };
  auto flags = std::make_shared<Flags>();  // shared by the rows and run, as long as both
  cli::Command command;
  command.name = "down";
  command.summary = "Stop a platform that runs on this machine";
  command.description =
      "Stops every process in reverse order of what it needs and waits until all have ended; what "
      "takes longer than it may is killed. State and logs stay. Also cleans up after an `aictl up` "
      "that was killed.";
  command.examples = {{"aictl down", "the platform of ./aictl.yaml"},
                      {"aictl down --now", "without waiting for what runs"}};
  std::vector<Row> rows = standing_rows(flags->standing, true);
  rows.push_back(Row("now", &flags->now, "kill everything at once"));
  rows.push_back(Row("timeout", &flags->timeout,
                     "time to end in before all is killed; 0s: what the platform allows"));
  for (Row& row : rows) command.options.append(Schema{std::move(row)});
  command.run = [flags](cli::Context& context) -> Result<int> {
    auto folder = find_standing(flags->standing, context);
    if (!folder) return std::move(folder).error();
    return platform::down(*std::move(folder), flags->timeout, flags->now, context);
  };
  return command;
}

}  // namespace aictl
