// aictl ps: what is up.
#include <filesystem>
#include <memory>

#include "cmd/root.hpp"
#include "cmd/standing.hpp"
#include "core/base/clock.hpp"
#include "core/cli/context.hpp"
#include "core/platform/run/inspect.hpp"

namespace aictl {
namespace {

Result<int> run_ps(const StandingFlags& flags, cli::Context& context) {
  std::vector<platform::Standing> all;
  if (flags.file.empty() && flags.state.empty()) {
    auto root = platform::state_root(context.environment());
    if (!root) return std::move(root).error();
    all = platform::all_standing(*root);
  } else {
    auto folder = find_standing(flags, context);
    if (!folder) return std::move(folder).error();
    auto standing = platform::standing_of(*folder);
    if (!standing && standing.error().code != ErrorCode::kNotFound)
      return std::move(standing).error();
    if (standing) all.push_back(*std::move(standing));
  }
  const Json tree = platform::standing_json(all);
  context.print_result(tree, [&](std::ostream& out) {
    platform::print_standing(tree, Clock().unix_seconds(), out);
  });
  if (all.empty()) context.note("nothing is up");
  for (const platform::Standing& each : all)
    if (!each.supervised)
      context.warn("the `up` of '" + each.journal.platform +
                   "' was killed; `aictl up` or `aictl down` cleans up");
  return 0;
}

}  // namespace

cli::Command ps_command(App&) {
  auto flags = std::make_shared<StandingFlags>();  // shared by the rows and run, as long as both
  cli::Command command;
  command.name = "ps";
  command.summary = "List what `aictl up` runs on this machine";
  command.description =
      "Shows each process of every platform that is up, or of the one that --file or --state "
      "names: "
      "waiting, starting, ready, unhealthy, backoff, stopping, finished or failed; orphaned when "
      "its "
      "`up` was killed.";
  command.examples = {{"aictl ps", "all platforms"},
                      {"aictl ps -f rag.yaml -o json", "one, for scripts"}};
  for (Row& row : standing_rows(*flags, true)) command.options.append(Schema{std::move(row)});
  command.run = [flags](cli::Context& context) { return run_ps(*flags, context); };
  return command;
}

}  // namespace aictl
