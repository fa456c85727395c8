#include "core/cli/program.hpp"

#include <algorithm>
#include <ostream>

#include <fmt/format.h>

#include "core/cli/external.hpp"
#include "core/cli/pages/help.hpp"
#include "core/cli/parse.hpp"

namespace aictl::cli {
namespace {

void print_help(const std::string& name, const Command& command, Context& context) {
  Schema globals = global_flags(context);
  offer_outputs(globals, command);
  context.out() << help(name, command, globals, static_cast<size_t>(context.streams().width))
                << std::flush;
}

void collect(const Command& command, std::vector<const Schema*>& out) {
  out.push_back(&command.options);
  for (const Command& below : command.commands) collect(below, out);
}

Result<void> apply_to(Schema& schema, const Context& context) {
  if (context.config)
    if (auto ok = apply_file(schema, *context.config); !ok) return ok;
  return apply_environment(schema, context.environment());
}

// Reads the configuration and sets the command's rows, layer by layer.
Result<void> configure(Command& root, const Parsed& parsed, Context& context) {
  auto config = find_config(context.flags.config, context.environment());
  if (!config) return std::move(config).error();
  context.config = std::move(*config);
  if (context.config)
    if (auto ok = check_keys(*context.config, all_schemas(root)); !ok) return ok;
  if (auto ok = apply_to(parsed.command().options, context); !ok) return ok;
  if (auto ok = apply_given(parsed.flags); !ok) return ok;
  return apply_given(parsed.arguments);
}

// A variable that nothing reads is a slip more often than not. Those of the commands on PATH are
// theirs.
void warn_of_unknown_variables(const Command& root, Context& context) {
  std::vector<std::string> known, foreign;
  for (const Variable& variable : root.variables) known.push_back(variable.name);
  for (const Schema* schema : all_schemas(root))
    for (const Row& row : schema->rows())
      if (const std::string name = row.variable(); !name.empty()) known.push_back(name);
  const auto is_known = [&](const std::string& name) {
    return std::find(known.begin(), known.end(), name) != known.end();
  };
  if (std::all_of(context.variables.begin(), context.variables.end(), is_known)) return;
  for (const ExternalRow& row : list_externals(root, context.environment()))
    foreign.push_back(row.variable_prefix());
  for (const std::string& warning : unknown_variables(context.variables, known, foreign))
    context.warn(warning);
}

Result<int> run(Command& root, const std::vector<std::string>& arguments, std::string_view version,
                Context& context) {
  Schema globals = global_flags(context);
  auto parsed = parse(root, globals, arguments, context.environment());
  if (!parsed) return std::move(parsed).error();
  offer_outputs(globals, parsed->command());
  if (auto ok = apply_given(parsed->globals); !ok) return std::move(ok).error();
  if (context.flags.version) {
    const Command* command = context.wants_tree() ? root.below("version") : nullptr;
    if (command) return command->run(context);
    context.out() << root.name << ' ' << version << '\n' << std::flush;
    return 0;
  }
  if (context.flags.help || arguments.empty()) {
    // Defaults in help are those of a fresh process, so the globals are made anew.
    context.flags = {};
    print_help(parsed->name(), parsed->command(), context);
    return 0;
  }
  if (auto ok = require_arguments(*parsed); !ok) return std::move(ok).error();
  if (!parsed->command().configured) {
    if (auto ok = apply_given(parsed->arguments); !ok) return std::move(ok).error();
    return parsed->command().run(context);
  }
  if (auto ok = configure(root, *parsed, context); !ok) return std::move(ok).error();
  warn_of_unknown_variables(root, context);
  return parsed->command().run(context);
}

}  // namespace

int run_program(Command& root, const std::vector<std::string>& arguments, std::string_view version,
                Context& context) {
  context.root = &root;
  auto status = run(root, arguments, version, context);
  if (!status) {
    context.print_error(status.error());
    return faces(status.error().code).exit_status;
  }
  // A full disk shows up here, after the command's last write. A reader that has seen enough is no
  // news to anybody, but the status tells that not all was written.
  if (!context.out().flush()) {
    if (!context.reader_gone())
      context.print_error({ErrorCode::kIo, "writing the result failed", ""});
    return faces(ErrorCode::kIo).exit_status;
  }
  return *status;
}

Result<void> apply_layers(Command& root, const Context& context) {
  if (auto ok = apply_to(root.options, context); !ok) return ok;
  for (Command& below : root.commands)
    if (auto ok = apply_layers(below, context); !ok) return ok;
  return {};
}

std::vector<const Schema*> all_schemas(const Command& root) {
  std::vector<const Schema*> out;
  collect(root, out);
  return out;
}

}  // namespace aictl::cli
