// aictl up: a platform on this machine.
#include <memory>

#include "cmd/root.hpp"
#include "core/cli/context.hpp"
#include "core/platform/plan/planner.hpp"
#include "core/platform/run/up.hpp"
#include "core/platform/spec/read.hpp"
#include "core/plugin/runtime.hpp"

namespace aictl {
namespace {

struct UpFlags {
  std::string file = "aictl.yaml";
  std::vector<std::string> names;
  platform::UpOptions options;
  bool free_ports = false;
};

std::vector<Row> up_rows(UpFlags& f) {
  std::vector<Row> rows;
  rows.push_back(Row("file", &f.file, "the platform's spec; - is standard input")
                     .letter('f')
                     .file()
                     .flag_only());
  rows.push_back(Row("detach", &f.options.detach, "go to the background once all is ready")
                     .letter('d')
                     .flag_only());
  rows.push_back(Row("dry-run", &f.options.dry_run,
                     "print what would run, with its words, variables and ports")
                     .flag_only());
  rows.push_back(Row("state", &f.options.state,
                     "folder for state and logs; empty: NAME in $XDG_STATE_HOME/aictl or "
                     "~/.local/state/aictl")
                     .folder()
                     .flag_only());
  rows.push_back(Row("free-ports", &f.free_ports,
                     "give free ports to all that are told theirs, instead of those of the plan"));
  rows.push_back(Row("secrets", &f.options.secrets,
                     "folder of secrets, a file SECRET/KEY each; empty: aictl/secrets in the "
                     "configuration folder")
                     .folder());
  rows.push_back(Row("log-size", &f.options.log_size, "size of a log file before the next is begun")
                     .range(4096, 1e12));
  rows.push_back(
      Row("attempts", &f.options.attempts, "ends in a row after which a process is given up")
          .range(1, 1'000'000));
  return rows;
}

Result<int> run_up(const App& app, const UpFlags& flags, cli::Context& context) {
  auto read = platform::load_platform(flags.file, &app.plugins);
  if (!read) return std::move(read).error();
  auto plan = platform::plan_here(*std::move(read), app.plugins);
  if (!plan) return std::move(plan).error();
  for (const std::string& note : plan->notes) context.detail(note);
  platform::LocalRequest request{plan->platform.name, plan->platform.file, plan->platform.digest,
                                 plan->workloads,     flags.names,         {},
                                 {flags.free_ports}};
  request.dry_run = flags.options.dry_run;
  for (const auto& row : app.plugins.services.rows()) request.services.push_back(row.name);
  const auto machine = platform::this_machine(
      context.environment(), flags.options.secrets,
      [&](std::string_view source) { return resolve_model(app.plugins, source); });
  return platform::up(request, flags.options, machine, context);
}

}  // namespace

cli::Command up_command(App& app) {
  auto flags = std::make_shared<UpFlags>();  // shared by the rows and run, as long as both
  cli::Command command;
  command.name = "up";
  command.summary = "Run a platform on this machine";
  command.description =
      "Starts what the spec's plan holds as processes of this machine, each after those it needs "
      "is "
      "healthy, and shows what they print with their name before it. A process that ends is "
      "started again, after a time that doubles each time in a row. Ctrl-C or SIGTERM stops all in "
      "reverse order; a second one kills at once. Nothing is left when aictl itself is killed.\n\n"
      "A port that another program has is an error that names it; what only wishes for a port that "
      "another part of the platform has gets the next free one.\n\n"
      "Secrets come from variables of the same name or from files, never from the spec.\n\n"
      "With -o json each event is a line on stdout, {\"event\":\"ready\",\"urls\":...} when all "
      "answers, and what the processes print goes to stderr.";
  command.examples = {{"aictl up", "the platform of ./aictl.yaml, until Ctrl-C"},
                      {"aictl up -f rag.yaml --detach", "in the background"},
                      {"aictl up chat", "one part, and what it needs"},
                      {"aictl up --dry-run -o json", "exactly what would run"}};
  command.arguments = {
      {Row("NAME", &flags->names, "a workload of the plan; none: all of them"), false}};
  command.options = Schema("up", up_rows(*flags));
  command.run = [&app, flags](cli::Context& context) { return run_up(app, *flags, context); };
  return command;
}

}  // namespace aictl
