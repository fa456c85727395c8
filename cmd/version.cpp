// aictl version: what this binary is, and what it found to compute with.
#include <fmt/format.h>

#include "cmd/build_info.hpp"
#include "cmd/root.hpp"
#include "core/cli/context.hpp"
#include "core/cli/terminal/table.hpp"

namespace aictl {
namespace {

// What the backends say of themselves. One that cannot start says why; that is no failure here.
Json devices(const Plugins& plugins) {
  Json list = Json::array();
  for (const auto& row : plugins.backends.rows()) {
    auto backend = row.make(BackendOptions{});
    if (!backend) {
      list.push_back({{"backend", row.name}, {"error", backend.error().message}});
      continue;
    }
    const BackendInfo info = (*backend)->info();
    list.push_back({{"backend", info.name},
                    {"isa", info.isa},
                    {"device", info.device},
                    {"threads", info.threads}});
  }
  return list;
}

// The instruction set of the CPU backend; null without one.
Json chosen_isa(const Json& devices) {
  for (const Json& device : devices)
    if (device["backend"] == "cpu" && device.contains("isa")) return device["isa"];
  return nullptr;
}

void print_table(const Json& report, std::ostream& out) {
  cli::Table build({});
  build.row({"aictl", report["version"]})
      .row({"commit", report["commit"]})
      .row({"build", report["build_type"]})
      .row({"compiler", report["compiler"]});
  build.print(out);
  if (report["devices"].empty()) return;
  out << '\n';
  cli::Table table({"BACKEND", "ISA", "THREADS", "DEVICE"});
  table.right(2);
  for (const Json& device : report["devices"])
    table.row({device["backend"], device.value("isa", "-"),
               device.contains("threads") ? dump_json(device["threads"]) : "-",
               device.value("device", device.value("error", ""))});
  table.print(out);
}

}  // namespace

std::string_view version() { return kVersion; }
std::string_view commit() { return kCommit; }

cli::Command version_command(App& app) {
  cli::Command command;
  command.name = "version";
  command.summary = "Show the version, the build and the devices found";
  command.examples = {{"aictl version -o json", "for a bug report"}};
  command.run = [&app](cli::Context& context) -> Result<int> {
    Json report = {{"version", kVersion},   {"commit", kCommit}, {"build_type", kBuildType},
                   {"compiler", kCompiler}, {"isa", nullptr},    {"devices", devices(app.plugins)}};
    report["isa"] = chosen_isa(report["devices"]);
    context.print_result(report, [&](std::ostream& out) { print_table(report, out); });
    return 0;
  };
  return command;
}

}  // namespace aictl
