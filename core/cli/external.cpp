#include "core/cli/external.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <filesystem>
#include <map>

#include <fmt/format.h>
#include <unistd.h>

#include "core/cli/parse.hpp"

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

std::ptrdiff_t offset(size_t index) { return static_cast<std::ptrdiff_t>(index); }

}  // namespace

std::optional<External> find_external(const Command& root, const Schema& globals,
                                      const std::vector<std::string>& arguments,
                                      const Environment& env) {
  size_t start = 0;
  while (start < arguments.size() && is_flag(arguments[start]))
    start = after_flag(arguments, start, {&globals});
  start = std::min(start, arguments.size());
  External found{{}, {}, {arguments.begin(), arguments.begin() + offset(start)}};
  const bool help = start < arguments.size() && arguments[start] == "help" && root.below("help");
  if (help) ++start, found.flags.push_back("--help");
  const auto first = arguments.begin() + offset(start);
  if (first == arguments.end() || root.below(*first)) return std::nullopt;
  const auto words_end = std::find_if_not(first, arguments.end(), is_name);
  size_t words = std::min<size_t>(static_cast<size_t>(words_end - first), kMaxWords);
  const std::vector<std::string> folders = path_folders(env);
  for (; words > 0; --words) {
    const auto end = first + offset(words);
    const std::string name = fmt::format("{}{}", kPrefix, fmt::join(first, end, "-"));
    for (const std::string& folder : folders) {
      found.path = fmt::format("{}/{}", folder, name);
      found.arguments.assign(end, arguments.end());
      if (is_executable(found.path)) return found;
    }
  }
  return std::nullopt;
}

int run_external(Command& root, const External& external, Context& context) {
  Schema globals = global_flags(context);
  auto given = parse(root, globals, external.flags, context.environment());
  auto applied = given ? apply_given(given->globals) : Result<void>(given.error());
  if (!applied) {
    context.print_error(applied.error());
    return faces(applied.error().code).exit_status;
  }
  std::vector<std::string> words{external.path};
  words.insert(words.end(), external.arguments.begin(), external.arguments.end());
  for (const char* asked :
       {context.flags.help ? "--help" : "", context.flags.version ? "--version" : ""})
    if (*asked) words.insert(std::find(words.begin(), words.end(), "--"), asked);
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  execv(external.path.c_str(), argv.data());
  const Error error = errno_error("running " + external.path, errno);
  context.print_error(error);
  return faces(error.code).exit_status;
}

std::string ExternalRow::variable_prefix() const {
  std::string out = "AICTL_" + command.substr(0, command.find(' ')) + "_";
  for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
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
      const Command* winner = root.below(command.substr(0, command.find(' ')));
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
