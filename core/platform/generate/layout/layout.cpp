#include "core/platform/generate/layout/layout.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "core/value/yaml_write.hpp"

namespace aictl::platform {
namespace {

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 'a' - 'A');
  return text;
}

std::string notes_text(const Generated& generated) {
  std::string text;
  for (const std::string& note : generated.notes) text += note + "\n";
  if (!generated.externals.empty()) text += "\nIt needs, and does not make:\n";
  for (const std::string& each : generated.externals) text += "  " + each + "\n";
  return text;
}

}  // namespace

std::string object_path(const Json& object) {
  const int rank = apply_rank(object);
  const auto kind = lower(object.value("kind", ""));
  const auto name = object["metadata"].value("name", "");
  return fmt::format("{:02}-{}/{}-{}.yaml", rank * 10, rank_name(rank), kind, name);
}

std::vector<RenderedFile> object_files(const Generated& generated, const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const RenderedObject& each : generated.objects) {
    std::string path = folder + object_path(each.object);
    // Kinds of one name in two groups, or an object in two namespaces.
    for (int n = 2; files.contains(path); ++n)
      path =
          fmt::format("{}{}-{}.yaml", folder,
                      object_path(each.object).substr(0, object_path(each.object).size() - 5), n);
    files[path] = write_documents({each}, generated.header);
  }
  std::vector<RenderedFile> list;
  for (auto& [path, content] : files) list.push_back({path, std::move(content)});
  return list;
}

std::vector<RenderedFile> lay_out(const Platform& platform, const Generated& generated,
                                  const LayoutOptions& options) {
  std::vector<RenderedFile> files;
  switch (options.layout) {
    case Layout::kPlain:
      if (!generated.objects.empty())
        files.push_back(
            {platform.name + ".yaml", write_documents(generated.objects, generated.header)});
      break;
    case Layout::kDirectory:
      files = object_files(generated, "");
      break;
    case Layout::kKustomize:
      files = kustomize_files(generated);
      break;
    case Layout::kHelm:
      files = helm_files(platform, generated, options);
      break;
    case Layout::kArgocd:
      files = argocd_files(platform, generated, options);
      break;
    case Layout::kFlux:
      files = flux_files(platform, generated, options);
      break;
  }
  for (const RenderedFile& file : generated.files) {
    // What a program mounts is its own; all else here takes comments.
    const bool ours = !file.path.starts_with("config/");
    files.push_back({file.path, (ours ? comment_lines(generated.header) : "") + file.content});
  }
  if (!generated.notes.empty() || !generated.externals.empty())
    files.push_back({"NOTES.txt", notes_text(generated)});
  std::sort(files.begin(), files.end(),
            [](const RenderedFile& a, const RenderedFile& b) { return a.path < b.path; });
  return files;
}

}  // namespace aictl::platform
