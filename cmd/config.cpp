// aictl config: the settings as they are, where each came from, and the schema of a spec.
#include <set>

#include <fmt/format.h>

#include "cmd/root.hpp"
#include "core/cli/context.hpp"
#include "core/cli/program.hpp"
#include "core/cli/terminal/table.hpp"
#include "core/platform/spec/read.hpp"

namespace aictl {
namespace {

struct Setting {
  std::string key;
  Json value;
  std::string origin, place;
};

// Every row with a key, once: commands may share a section.
std::vector<Setting> settings(const cli::Command& root) {
  std::vector<Setting> out;
  std::set<std::string> seen;
  for (const Schema* schema : cli::all_schemas(root))
    for (const Row& row : schema->rows()) {
      if (row.key().empty() || !seen.insert(row.key()).second) continue;
      const bool hide = row.is_secret() && row.origin() != Origin::kDefault;
      out.push_back({row.key(), hide ? Json("(secret)") : row.load(),
                     std::string(origin_name(row.origin())), row.place()});
    }
  return out;
}

// The settings as the configuration file would have them.
Json as_file(const std::vector<Setting>& settings) {
  Json tree = Json::object();
  for (const Setting& setting : settings) {
    Json* node = &tree;
    std::string_view rest = setting.key;
    for (size_t dot = rest.find('.'); dot != rest.npos; dot = rest.find('.')) {
      node = &(*node)[std::string(rest.substr(0, dot))];
      rest.remove_prefix(dot + 1);
    }
    (*node)[std::string(rest)] = setting.value;
  }
  return tree;
}

Json with_origins(const std::vector<Setting>& settings) {
  Json list = Json::array();
  for (const Setting& s : settings)
    list.push_back({{"key", s.key}, {"value", s.value}, {"origin", s.origin}, {"place", s.place}});
  return list;
}

std::string value_text(const Json& value) {
  return value.is_null() ? "-" : value.is_string() ? value.get<std::string>() : dump_json(value);
}

Result<int> view(bool origin, cli::Context& context) {
  if (auto ok = cli::apply_layers(*context.root, context); !ok) return std::move(ok).error();
  const std::vector<Setting> all = settings(*context.root);
  context.print_result(origin ? with_origins(all) : as_file(all), [&](std::ostream& out) {
    cli::Table table(origin ? std::vector<std::string>{"KEY", "VALUE", "ORIGIN", "PLACE"}
                            : std::vector<std::string>{"KEY", "VALUE"});
    for (const Setting& s : all) {
      if (origin)
        table.row({s.key, value_text(s.value), s.origin, s.place});
      else
        table.row({s.key, value_text(s.value)});
    }
    table.print(out);
  });
  return 0;
}

cli::Command view_command() {
  auto origin = std::make_shared<bool>(false);  // shared by the row and run, as long as both
  cli::Command command;
  command.name = "view";
  command.summary = "Show every setting and its value";
  command.description =
      "With -o yaml the output is a configuration file with all settings in it, but for secrets.";
  command.examples = {
      {"aictl config view --origin", "where each value came from"},
      {"aictl config view -o yaml > ~/.config/aictl/config.yaml", "a file to start from"}};
  command.options = {Row("origin", origin.get(), "also show which layer each value came from")};
  command.run = [origin](cli::Context& context) { return view(*origin, context); };
  return command;
}

cli::Command schema_command(App& app) {
  cli::Command command;
  command.name = "schema";
  command.summary = "Print the JSON schema of aictl.yaml";
  command.description =
      "Draft 2020-12, with every field's description, default and bounds. Editors complete and "
      "check a file by it that begins with\n\n"
      "  # yaml-language-server: $schema=aictl.schema.json";
  command.examples = {{"aictl config schema > aictl.schema.json", "a file for an editor"}};
  command.run = [&app](cli::Context& context) -> Result<int> {
    const Json schema = platform::platform_schema(&app.plugins);
    context.print_result(schema, [&](std::ostream& out) { out << dump_json(schema, 2) << "\n"; });
    return 0;
  };
  return command;
}

}  // namespace

cli::Command config_command(App& app) {
  cli::Command command;
  command.name = "config";
  command.summary = "See the settings and where they came from";
  command.description =
      "A setting is taken from the first of these that has it: its flag, its AICTL_* variable, the "
      "configuration file, its default. The file is the one --config names, else "
      "$XDG_CONFIG_HOME/aictl/config.yaml (or ~/.config/aictl/config.yaml), else "
      "/etc/aictl/config.yaml.";
  command.commands = {view_command(), schema_command(app)};
  return command;
}

}  // namespace aictl
