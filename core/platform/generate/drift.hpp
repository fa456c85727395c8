// Whether a folder still holds what would be generated.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/platform/generate/generate.hpp"

namespace aictl::platform {

/// A file that is not as it would be generated.
struct Drift {
  std::string path;  // below the folder
  enum class What : uint8_t { kMissing, kChanged, kStale } what = What::kChanged;
  int line = 0;  // kChanged: the first line that differs
};

/// Compares `folder` with the files it should hold. A file that is there and was made by this
/// program but is not among them is stale. Errors: kNotFound without the folder, kIo.
Result<std::vector<Drift>> find_drift(const std::filesystem::path& folder,
                                      const std::vector<RenderedFile>& files);

}  // namespace aictl::platform
