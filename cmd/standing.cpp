#include "cmd/standing.hpp"

#include <filesystem>

#include <fmt/format.h>

#include "core/platform/run/inspect.hpp"
#include "core/platform/spec/read.hpp"

namespace aictl {

std::vector<Row> standing_rows(StandingFlags& flags, bool letter) {
  Row file = Row("file", &flags.file, "the platform's spec; empty: ./aictl.yaml").file();
  std::vector<Row> rows;
  rows.push_back(letter ? Row(file).letter('f') : file);
  rows.push_back(
      Row("state", &flags.state, "the folder for state that `aictl up` was given").folder());
  return rows;
}

Result<platform::StateFolder> find_standing(const StandingFlags& flags, cli::Context& context) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!flags.state.empty())
    return platform::StateFolder(fs::weakly_canonical(fs::absolute(flags.state), error));
  auto root = platform::state_root(context.environment());
  if (!root) return std::move(root).error();
  const std::string file = flags.file.empty() ? "aictl.yaml" : flags.file;
  if (!flags.file.empty() || fs::exists(file, error)) {
    auto read = platform::load_platform(file);
    if (!read) {
      Error refused = std::move(read).error();
      refused.hint += "\nor say where it runs: --state DIR";
      return refused;
    }
    return platform::StateFolder(*root / read->name);
  }
  const auto all = platform::all_standing(*root);
  if (all.size() == 1) return platform::StateFolder(all[0].folder.path());
  std::vector<std::string> names;
  for (const auto& each : all) names.push_back(each.journal.platform);
  return Error{ErrorCode::kNotFound,
               all.empty() ? "there is no aictl.yaml here, and nothing is up"
                           : "there is no aictl.yaml here, and several platforms are up",
               all.empty()
                   ? "name the spec: --file FILE"
                   : fmt::format("name the spec: --file FILE; up are: {}", fmt::join(names, ", "))};
}

}  // namespace aictl
