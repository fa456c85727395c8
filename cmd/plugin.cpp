// aictl plugin: what is compiled in, and what was found on PATH.
#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "cmd/root.hpp"
#include "core/base/nearest.hpp"
#include "core/cli/context.hpp"
#include "core/cli/external.hpp"
#include "core/cli/terminal/table.hpp"

namespace aictl {
namespace {

constexpr std::string_view kCommandKind = "command";  // of the executables on PATH

std::vector<std::string> kinds(const App& app) {
  std::vector<std::string> kinds{std::string(kCommandKind)};
  for_each_registry(app.plugins, [&](const auto& registry) { kinds.push_back(registry.kind()); });
  return kinds;
}

Result<void> check_kind(const App& app, const std::string& kind) {
  const std::vector<std::string> all = kinds(app);
  if (kind.empty() || std::find(all.begin(), all.end(), kind) != all.end()) return {};
  return Error{
      ErrorCode::kInvalidArgument,
      fmt::format("no kind of plugin named '{}'; there are {}", kind, fmt::join(all, ", ")),
      did_you_mean(kind, std::vector<std::string_view>(all.begin(), all.end()))};
}

Json rows(const App& app, const std::string& kind, const cli::Context& context) {
  Json list = Json::array();
  for_each_registry(app.plugins, [&](const auto& registry) {
    if (!kind.empty() && registry.kind() != kind) return;
    for (const auto& row : registry.rows())
      list.push_back({{"kind", registry.kind()},
                      {"name", row.name},
                      {"description", row.description},
                      {"origin", "built in"}});
  });
  if (!kind.empty() && kind != kCommandKind) return list;
  for (const cli::ExternalRow& row : list_externals(*context.root, context.environment())) {
    const std::string description =
        row.overruled_by.empty() ? "run by: aictl " + row.command
                                 : fmt::format("never run: {} comes first", row.overruled_by);
    list.push_back({{"kind", kCommandKind},
                    {"name", row.command},
                    {"description", description},
                    {"origin", row.path}});
  }
  return list;
}

cli::Command list_command(App& app) {
  auto kind = std::make_shared<std::string>();  // shared by the row and run, as long as both
  cli::Command command;
  command.name = "list";
  command.summary = "List what is compiled in and the commands found on PATH";
  command.examples = {{"aictl plugin list --kind backend", "devices that models can run on"}};
  command.options = {Row("kind", kind.get(), "only this kind: an extension point, or command")
                         .value("KIND")
                         .suggest(kinds(app))};
  command.run = [&app, kind](cli::Context& context) -> Result<int> {
    if (auto ok = check_kind(app, *kind); !ok) return std::move(ok).error();
    const Json list = rows(app, *kind, context);
    context.print_result(list, [&](std::ostream& out) {
      cli::Table table({"KIND", "NAME", "DESCRIPTION", "ORIGIN"});
      for (const Json& row : list)
        table.row({row["kind"], row["name"], row["description"], row["origin"]});
      table.print(out);
    });
    return 0;
  };
  return command;
}

}  // namespace

cli::Command plugin_command(App& app) {
  cli::Command command;
  command.name = "plugin";
  command.summary = "See the plugins";
  command.description =
      "What a plugin does is an extension point: a backend computes on a device, a source finds "
      "models, a service answers.\n\n"
      "An executable aictl-foo on PATH becomes the command `aictl foo`.";
  command.commands = {list_command(app)};
  return command;
}

}  // namespace aictl
