// Models that are already here: a path, or a name in the model folders.
#pragma once

#include <filesystem>
#include <vector>

#include "core/plugin/plugins.hpp"
#include "core/plugin/source.hpp"

namespace aictl {

/// Resolves, in this order: a path to a file; a path to a folder with one model in it (the first
/// shard of a split counts as one); NAME or NAME.gguf in `folders`.
class FileSource final : public Source {
 public:
  explicit FileSource(std::vector<std::filesystem::path> folders) : folders_(std::move(folders)) {}
  Result<std::optional<std::filesystem::path>> resolve(std::string_view reference) override;

 private:
  std::vector<std::filesystem::path> folders_;
};

/// $AICTL_MODELS (a list with colons) if set, else $XDG_DATA_HOME/aictl/models (~/.local/share) and
/// /usr/share/aictl/models.
std::vector<std::filesystem::path> model_folders();

void add_file_source(Plugins& plugins);

}  // namespace aictl
