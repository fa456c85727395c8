// aictl bench: speed, of this machine, of a model on it, of a server under load.
#include "cmd/bench.hpp"

#include <fmt/format.h>

#include "cmd/root.hpp"
#include "core/cli/terminal/table.hpp"
#include "core/load/report/fingerprint.hpp"
#include "core/plugin/topology_source.hpp"

namespace aictl {
namespace {

// Numbers one below another; a nested object's keys are indented.
void add_rows(cli::Table& table, const Json& tree, const std::string& indent) {
  for (const auto& [name, value] : tree.items()) {
    if (value.is_object()) {
      table.row({indent + name});
      add_rows(table, value, indent + "  ");
    } else {
      table.row({indent + name, value.is_number_float() ? fmt::format("{:.4g}", value.get<double>())
                                : value.is_string()     ? value.get<std::string>()
                                                        : dump_json(value)});
    }
  }
}

}  // namespace

void print_numbers(cli::Context& context, const Json& report) {
  context.print_result(report, [&](std::ostream& out) {
    cli::Table table({});
    add_rows(table, report, "");
    table.print(out);
  });
}

Json bench_fingerprint(App& app) {
  Json machine = nullptr;  // one that cannot be read is no reason not to measure it
  if (auto found = read_topology(app.plugins, {})) machine = load::machine_fingerprint(*found);
  return {{"machine", std::move(machine)},
          {"client",
           {{"version", version()}, {"commit", commit()}, {"command", load::command_line()}}}};
}

cli::Command bench_command(App& app) {
  cli::Command command;
  command.name = "bench";
  command.summary = "Measure a server under load, a model, and the machine's ceilings";
  command.commands = {bench_serve_command(app), bench_report_command(), bench_compare_command(),
                      bench_model_command(app), bench_ceilings_command(app)};
  return command;
}

}  // namespace aictl
