#include "core/platform/generate/drift.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "core/base/file.hpp"

namespace aictl::platform {
namespace {

constexpr size_t kMostBytes = size_t{16} << 20;
constexpr std::string_view kMark = "# Made by aictl ";

int first_difference(std::string_view a, std::string_view b) {
  const auto at = std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first;
  return 1 + static_cast<int>(std::count(a.begin(), at, '\n'));
}

}  // namespace

Result<std::vector<Drift>> find_drift(const std::filesystem::path& folder,
                                      const std::vector<RenderedFile>& files) {
  std::error_code failed;
  if (!std::filesystem::is_directory(folder, failed))
    return Error{ErrorCode::kNotFound, fmt::format("no folder '{}'", folder.string()), ""};
  std::vector<Drift> drift;
  std::map<std::string, const RenderedFile*> known;
  for (const RenderedFile& file : files) {
    known[file.path] = &file;
    auto text = read_file(folder / file.path);
    if (!text && text.error().code == ErrorCode::kNotFound)
      drift.push_back({file.path, Drift::What::kMissing, 0});
    else if (!text)
      return std::move(text).error();
    else if (*text != file.content)
      drift.push_back({file.path, Drift::What::kChanged, first_difference(file.content, *text)});
  }
  for (auto each = std::filesystem::recursive_directory_iterator(folder, failed);
       !failed && each != std::filesystem::recursive_directory_iterator(); each.increment(failed)) {
    const std::string path = each->path().lexically_relative(folder).generic_string();
    if (!each->is_regular_file(failed) || known.contains(path)) continue;
    auto text = read_file(each->path(), kMostBytes);  // what is larger is none of ours
    if (text && text->starts_with(kMark)) drift.push_back({path, Drift::What::kStale, 0});
  }
  std::sort(drift.begin(), drift.end(),
            [](const Drift& a, const Drift& b) { return a.path < b.path; });
  return drift;
}

}  // namespace aictl::platform
