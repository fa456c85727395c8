// aictl man: the manual, printed from the command tree.
#include <filesystem>
#include <ostream>

#include <fmt/format.h>

#include "cmd/root.hpp"
#include "core/base/file.hpp"
#include "core/base/nearest.hpp"
#include "core/cli/context.hpp"
#include "core/cli/pages/man.hpp"
#include "core/platform/spec/read.hpp"

namespace aictl {
namespace {

constexpr const char* kSpecPage = "platform";  // aictl-platform(5), which no command is called

struct ManOptions {
  std::vector<std::string> page;
  std::string all;
};

Result<int> write_all(const std::string& folder, const Schema& globals, cli::Context& context) {
  for (const cli::CommandPath& path : walk(*context.root)) {
    const std::filesystem::path file = std::filesystem::path(folder) / man_file_name(path);
    auto ok = write_file_atomically(file, man_page(path, globals, version()));
    if (!ok) return std::move(ok).error();
  }
  return 0;
}

Result<int> print_page(const ManOptions& options, const Schema& globals, cli::Context& context) {
  // "plugin list", "plugin-list" and "aictl-plugin-list" name the same page.
  std::string wanted = fmt::format("{}", fmt::join(options.page, "-"));
  if (wanted == context.root->name) wanted.clear();
  if (const std::string prefix = context.root->name + "-"; wanted.starts_with(prefix))
    wanted.erase(0, prefix.size());
  if (wanted == kSpecPage) {
    context.out() << platform::platform_page();
    return 0;
  }
  // Compared without what all pages have in front, or anything short would be near to everything.
  std::vector<std::string> names{kSpecPage};
  for (const cli::CommandPath& path : walk(*context.root)) {
    const std::string name = cli::page_name(path);
    if (!name.empty()) names.push_back(name);
    if (name != wanted) continue;
    context.out() << man_page(path, globals, version());
    return 0;
  }
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  return Error{ErrorCode::kNotFound, fmt::format("no page named '{}'", wanted),
               did_you_mean(wanted, candidates)};
}

}  // namespace

cli::Command man_command(App&) {
  auto options = std::make_shared<ManOptions>();  // shared by the rows and run, as long as both
  cli::Command command;
  command.name = "man";
  command.summary = "Print a manual page, or write them all";
  command.description = "Pages are printed as roff, the language that man reads.";
  command.examples = {{"aictl man plugin list | man -l -", "read the page of a command"},
                      {"aictl man platform | man -l -", "every field of aictl.yaml"},
                      {"aictl man --all ~/.local/share/man/man1", "install every page"}};
  command.arguments = {
      {Row("page", &options->page, "a command; none is the program itself"), false}};
  command.options = {
      Row("all", &options->all, "write every page into this folder instead").folder()};
  command.run = [options](cli::Context& context) -> Result<int> {
    context.flags = {};  // pages show the defaults
    const Schema globals = global_flags(context);
    if (!options->all.empty()) return write_all(options->all, globals, context);
    return print_page(*options, globals, context);
  };
  return command;
}

}  // namespace aictl
