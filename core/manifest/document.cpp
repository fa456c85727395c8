#include "core/manifest/document.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace aictl::manifest {
namespace {

std::string_view text_of(const Json& object, const char* name) {
  if (!object.is_object()) return {};
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get_ref<const std::string&>()
                                                     : std::string_view();
}

std::string_view metadata_text(const Json& object, const char* name) {
  if (!object.is_object()) return {};
  const auto metadata = object.find("metadata");
  return metadata == object.end() ? std::string_view() : text_of(*metadata, name);
}

void append_escaped(std::string& pointer, std::string_view key) {
  for (const char c : key) {
    if (c == '~')
      pointer += "~0";
    else if (c == '/')
      pointer += "~1";
    else
      pointer += c;
  }
}

// One step along `path`: takes the index or the key it begins with off it and returns the child;
// nullptr when there is none. Keys hold dots ("app.kubernetes.io/name"), so the longest one that is
// there counts.
const Json* step(const Json& value, std::string_view& path, std::string& pointer) {
  if (value.is_array() && path.starts_with('[')) {
    const size_t close = path.find(']');
    size_t index = 0;
    for (size_t i = 1; i < std::min(close, path.size()); ++i)
      index = index * 10 + size_t(path[i] - '0');
    if (close == path.npos || close > 10 || index >= value.size()) return nullptr;
    path.remove_prefix(close + 1);
    pointer += fmt::format("/{}", index);
    return &value[index];
  }
  if (!value.is_object()) return nullptr;
  if (path.starts_with('.')) path.remove_prefix(1);
  const std::string* best = nullptr;
  const Json* child = nullptr;
  for (const auto& [key, item] : value.items()) {
    const bool fits = path.starts_with(key) && (path.size() == key.size() ||
                                                path[key.size()] == '.' || path[key.size()] == '[');
    if (fits && (best == nullptr || key.size() > best->size())) best = &key, child = &item;
  }
  if (best == nullptr) return nullptr;
  path.remove_prefix(best->size());
  pointer += '/';
  append_escaped(pointer, *best);
  return child;
}

}  // namespace

std::string_view Document::api_version() const { return text_of(object, "apiVersion"); }
std::string_view Document::kind() const { return text_of(object, "kind"); }
std::string_view Document::name() const { return metadata_text(object, "name"); }
std::string_view Document::name_space() const { return metadata_text(object, "namespace"); }

std::string_view Document::group() const {
  const std::string_view api = api_version();
  const size_t slash = api.rfind('/');
  return slash == api.npos ? std::string_view() : api.substr(0, slash);
}

std::string Document::label() const {
  if (!object.is_object()) return fmt::format("document {}", number);
  std::string_view shown = name();
  if (shown.empty()) shown = metadata_text(object, "generateName");
  if (shown.empty()) shown = text_of(object, "name");
  if (shown.empty()) shown = text_of(object, "jobSetId");
  const std::string_view what = kind();
  return fmt::format("{}/{}", what.empty() ? "-" : what,
                     shown.empty() ? fmt::format("document {}", number) : std::string(shown));
}

SourcePlace Document::place(std::string_view path) const {
  std::string pointer;
  const Json* value = &object;
  if (path == ".") path = "";
  while (!path.empty()) {
    value = step(*value, path, pointer);
    if (value == nullptr) break;
  }
  for (;;) {
    if (const auto found = places.find(pointer); found != places.end()) return found->second;
    const size_t slash = pointer.rfind('/');
    if (slash == pointer.npos) return {};
    pointer.resize(slash);
  }
}

}  // namespace aictl::manifest
