#include "core/platform/generate/drift.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "core/base/file.hpp"
#include "core/platform/spec/read.hpp"

namespace aictl::platform {
namespace {

constexpr std::string_view kMark = "# Made by aictl ";

int first_difference(std::string_view a, std::string_view b) {
  const auto at = std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first;
  return 1 + static_cast<int>(std::count(a.begin(), at, '\n'));
}

using Leaves = std::vector<std::pair<std::string, const Json*>>;  // by JSON pointer

void collect_leaves(const Json& value, const std::string& pointer, Leaves& leaves) {
  if (value.is_object()) {
    for (const auto& [key, item] : value.items()) {
      std::string token = key;
      for (size_t at = 0; (at = token.find_first_of("~/", at)) != token.npos; at += 2)
        token.replace(at, 1, token[at] == '~' ? "~0" : "~1");
      collect_leaves(item, pointer + "/" + token, leaves);
    }
  } else if (value.is_array()) {
    for (size_t i = 0; i < value.size(); ++i)
      collect_leaves(value[i], fmt::format("{}/{}", pointer, i), leaves);
  } else {
    leaves.emplace_back(pointer, &value);
  }
}

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : dump_json(value);
}

// The comment of a field or of the nearest it lies in, but the object's own.
std::string comment_on(const std::map<std::string, std::string>& comments, std::string pointer) {
  while (!pointer.empty()) {
    if (const auto found = comments.find(pointer); found != comments.end()) return found->second;
    pointer.resize(pointer.rfind('/'));
  }
  return {};
}

// A pointer as people read it: "spec/replicas".
std::string shown(const std::string& pointer) {
  std::string text = pointer.substr(1);
  for (size_t at = 0; (at = text.find('~', at)) != text.npos; ++at)
    text.replace(at, 2, text.compare(at, 2, "~1") == 0 ? "/" : "~");
  return text;
}

// "aictl.yaml:12 models/0/revision" of every value of the spec, by its text.
std::map<std::string, std::string> spec_values(const Platform& platform) {
  std::map<std::string, std::string> by_text;
  const Json tree = platform_tree(platform, false);
  Leaves leaves;
  collect_leaves(tree, "", leaves);
  for (const auto& [pointer, value] : leaves) {
    const std::string text = text_of(*value);
    if (text.size() < 2 || value->is_boolean()) continue;  // says nothing
    const auto place = platform.places.find(pointer);
    const int line = place == platform.places.end() ? 0 : place->second.line;
    by_text.emplace(text, line > 0
                              ? fmt::format("{}:{} ({})", platform.file, line, pointer.substr(1))
                              : pointer.substr(1));
  }
  return by_text;
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
    auto text = read_file(each->path());
    if (text && text->starts_with(kMark)) drift.push_back({path, Drift::What::kStale, 0});
  }
  std::sort(drift.begin(), drift.end(),
            [](const Drift& a, const Drift& b) { return a.path < b.path; });
  return drift;
}

std::vector<Explanation> explain(const PlatformPlan& plan, const Generated& generated,
                                 const std::string& about) {
  const std::map<std::string, std::string> spec = spec_values(plan.platform);
  std::vector<Explanation> list;
  for (const RenderedObject& each : generated.objects) {
    const std::string object = fmt::format("{}/{}", each.object.value("kind", ""),
                                           each.object["metadata"].value("name", ""));
    Leaves leaves;
    collect_leaves(each.object, "", leaves);
    for (const auto& [pointer, value] : leaves) {
      std::string because = comment_on(each.comments, pointer);
      if (const auto line = spec.find(text_of(*value)); because.empty() && line != spec.end())
        because = line->second;
      if (because.empty() && about.empty()) continue;
      if (because.empty() && each.comments.contains("")) because = each.comments.at("");
      if (!about.empty() && (object + pointer).find(about) == std::string::npos) continue;
      list.push_back({object, shown(pointer), text_of(*value), because});
    }
  }
  return list;
}

}  // namespace aictl::platform
