#include "core/cli/external.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>

#include <fmt/format.h>
#include <unistd.h>

namespace aictl::cli {
namespace {

constexpr std::string_view kPrefix = "aictl-";
constexpr size_t kMaxWords = 8;  // in a command's name

// PATH's folders. An empty entry would mean the current folder, where a command must not come from
// by accident.
std::vector<std::string> path_folders(const Environment& env) {
  std::vector<std::string> folders;
  const std::string path = env("PATH").value_or("");
  std::string_view rest = path;
  while (!rest.empty()) {
    const size_t colon = std::min(rest.find(':'), rest.size());
    if (colon > 0 && rest.front() == '/') folders.emplace_back(rest.substr(0, colon));
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
  return folders;
}

bool is_executable(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored) && access(path.c_str(), X_OK) == 0;
}

bool is_name(std::string_view word) {
  return !word.empty() && word.front() != '-' && word.find('/') == word.npos;
}

const Command* built_in(const Command& root, std::string_view word) {
  for (const Command& command : root.commands)
    if (command.name == word) return &command;
  return nullptr;
}

}  // namespace

std::optional<External> find_external(const Command& root,
                                      const std::vector<std::string>& arguments,
                                      const Environment& env) {
  if (arguments.empty() || built_in(root, arguments.front())) return std::nullopt;
  const auto words_end = std::find_if_not(arguments.begin(), arguments.end(), is_name);
  size_t words = std::min<size_t>(static_cast<size_t>(words_end - arguments.begin()), kMaxWords);
  const std::vector<std::string> folders = path_folders(env);
  for (; words > 0; --words) {
    const auto end = arguments.begin() + static_cast<std::ptrdiff_t>(words);
    const std::string name = fmt::format("{}{}", kPrefix, fmt::join(arguments.begin(), end, "-"));
    for (const std::string& folder : folders)
      if (std::string path = fmt::format("{}/{}", folder, name); is_executable(path))
        return External{std::move(path), {end, arguments.end()}};
  }
  return std::nullopt;
}

int run_external(const External& external, Context& context) {
  std::vector<std::string> words{external.path};
  words.insert(words.end(), external.arguments.begin(), external.arguments.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  execv(external.path.c_str(), argv.data());
  const Error error = errno_error("running " + external.path, errno);
  context.print_error(error);
  return faces(error.code).exit_status;
}

std::vector<ExternalRow> list_externals(const Command& root, const Environment& env) {
  std::vector<ExternalRow> rows;
  std::map<std::string, std::string> first;  // command -> the path that is run
  for (const std::string& folder : path_folders(env)) {
    std::error_code failed;
    std::vector<std::string> names;
    for (std::filesystem::directory_iterator entry(folder, failed), end; !failed && entry != end;
         entry.increment(failed))
      if (std::string name = entry->path().filename(); name.starts_with(kPrefix))
        names.push_back(std::move(name));
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
      const std::string path = fmt::format("{}/{}", folder, name);
      std::string command = name.substr(kPrefix.size());
      std::replace(command.begin(), command.end(), '-', ' ');
      if (command.empty() || !is_executable(path)) continue;
      const Command* winner = built_in(root, command.substr(0, command.find(' ')));
      const auto [earlier, is_new] = first.emplace(command, path);
      if (!is_new && earlier->second == path) continue;  // the folder stands twice on PATH
      rows.push_back({command, path,
                      winner   ? root.name + " " + winner->name
                      : is_new ? ""
                               : earlier->second});
    }
  }
  return rows;
}

}  // namespace aictl::cli
