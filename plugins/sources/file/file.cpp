#include "plugins/sources/file/file.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>

#include <fmt/format.h>

namespace aictl {
namespace {

namespace fs = std::filesystem;

bool is_later_shard(const std::string& name) {
  const size_t of = name.rfind("-of-");
  return of != name.npos && of >= 6 && name.compare(of - 6, 6, "-00001") != 0;
}

// The one model of a folder: projector sidecars and later shards are parts, not models.
Result<std::optional<fs::path>> only_model_in(const fs::path& folder) {
  std::vector<fs::path> models;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(folder, failure)) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() != ".gguf" || name.starts_with("mmproj-") || is_later_shard(name))
      continue;
    models.push_back(entry.path());
  }
  if (failure) return errno_error(folder.string(), failure.value());
  if (models.size() == 1) return std::optional(models[0]);
  std::sort(models.begin(), models.end());
  return Error{ErrorCode::kNotFound,
               fmt::format("folder {} holds {} .gguf models", folder.string(), models.size()),
               models.empty() ? "name a file, or put one there"
                              : fmt::format("name one, such as {}", models[0].string())};
}

}  // namespace

Result<std::optional<fs::path>> FileSource::resolve(std::string_view reference) {
  const fs::path path(reference);
  std::error_code ignored;  // an unreadable place counts as absent; opening it will say why
  if (fs::is_directory(path, ignored)) return only_model_in(path);
  if (fs::exists(path, ignored)) return std::optional(path);
  if (reference.find('/') != reference.npos || reference == "." || reference == "..")
    return std::optional<fs::path>();
  for (const fs::path& folder : folders_) {
    for (const char* suffix : {"", ".gguf"}) {
      const fs::path candidate = folder / (std::string(reference) + suffix);
      if (fs::is_directory(candidate, ignored)) return only_model_in(candidate);
      if (fs::exists(candidate, ignored)) return std::optional(candidate);
    }
  }
  return std::optional<fs::path>();
}

std::vector<fs::path> model_folders() {
  std::vector<fs::path> folders;
  const auto variable = [](const char* name) {
    return std::getenv(name) ? std::string(std::getenv(name)) : std::string();
  };
  if (const std::string list = variable("AICTL_MODELS"); !list.empty()) {
    for (size_t start = 0; start <= list.size();) {
      const size_t end = std::min(list.find(':', start), list.size());
      if (end > start) folders.emplace_back(list.substr(start, end - start));
      start = end + 1;
    }
    return folders;
  }
  if (const std::string data = variable("XDG_DATA_HOME"); !data.empty())
    folders.push_back(fs::path(data) / "aictl" / "models");
  else if (const std::string home = variable("HOME"); !home.empty())
    folders.push_back(fs::path(home) / ".local/share/aictl/models");
  folders.emplace_back("/usr/share/aictl/models");
  return folders;
}

void add_file_source(Plugins& plugins) {
  plugins.sources.add("file", "a path, or a name in the model folders ($AICTL_MODELS)",
                      [] { return std::make_unique<FileSource>(model_folders()); });
  plugins.variables.push_back(
      {"AICTL_MODELS",
       "folders with models, colons between them, instead of $XDG_DATA_HOME/aictl/models "
       "(~/.local/share/aictl/models) and /usr/share/aictl/models"});
}

}  // namespace aictl
