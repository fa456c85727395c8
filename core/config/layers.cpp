#include "core/config/layers.hpp"

#include <algorithm>
#include <cstdlib>
#include <set>

#include <fmt/format.h>

#include "core/base/file.hpp"
#include "core/base/nearest.hpp"

namespace aictl {
namespace {

constexpr size_t kMaxConfigBytes = size_t{1} << 20;

Result<ConfigFile> read_config(const std::filesystem::path& path) {
  auto text = read_file(path, kMaxConfigBytes);
  if (!text) return std::move(text).error().within("reading the configuration");
  auto document = parse_yaml(*text);
  if (!document) return std::move(document).error().within(path.string());
  if (!document->tree.is_null() && !document->tree.is_object())
    return Error{ErrorCode::kDataRefused, fmt::format("{}: not a map of sections", path.string()),
                 "write 'section:' and its settings indented below"};
  return ConfigFile{path, std::move(*document)};
}

std::string where(const ConfigFile& file, const std::string& pointer, bool with_column) {
  const auto found = file.document.places.find(pointer);
  if (found == file.document.places.end()) return file.path.string();
  const auto [line, column] = found->second;
  return with_column ? fmt::format("{}:{}:{}", file.path.string(), line, column)
                     : fmt::format("{}:{}", file.path.string(), line);
}

std::string pointer_of(std::string key) {
  std::replace(key.begin(), key.end(), '.', '/');
  return "/" + key;
}

// The value at a dotted key; nullptr when there is none.
const Json* value_at(const Json& tree, std::string_view key) {
  const Json* node = &tree;
  while (!key.empty()) {
    const size_t dot = std::min(key.find('.'), key.size());
    if (!node->is_object()) return nullptr;
    const auto found = node->find(std::string(key.substr(0, dot)));
    if (found == node->end()) return nullptr;
    node = &*found;
    key.remove_prefix(std::min(dot + 1, key.size()));
  }
  return node;
}

// Walks the sections of a file. It goes no deeper than the known keys do.
class KeyCheck {
 public:
  KeyCheck(const ConfigFile& file, const std::vector<const Schema*>& known) : file_(file) {
    for (const Schema* schema : known)
      for (const Row& row : schema->rows())
        if (!row.key().empty()) keys_.insert(row.key());
  }

  Result<void> section(const Json& tree, const std::string& prefix) const {
    if (tree.is_null()) return {};  // "serve:" with nothing below
    if (!tree.is_object())
      return Error{ErrorCode::kDataRefused,
                   fmt::format("{}: '{}' is a section, not a value",
                               where(file_, pointer_of(prefix), true), prefix),
                   ""};
    for (const auto& [name, value] : tree.items()) {
      const std::string key = prefix.empty() ? name : fmt::format("{}.{}", prefix, name);
      const bool plain = name.find_first_of("./~") == name.npos;
      if (plain && keys_.contains(key)) continue;
      if (!plain || !is_section(key)) return unknown(prefix, name, key);
      if (auto ok = section(value, key); !ok) return ok;
    }
    return {};
  }

 private:
  bool is_section(const std::string& key) const {
    const auto next = keys_.lower_bound(key + ".");
    return next != keys_.end() && next->starts_with(key + ".");
  }

  Error unknown(const std::string& prefix, const std::string& name, const std::string& key) const {
    std::set<std::string, std::less<>> siblings;
    const std::string start = prefix.empty() ? "" : prefix + ".";
    for (const std::string& known : keys_)
      if (known.starts_with(start))
        siblings.insert(known.substr(start.size(), known.find('.', start.size()) - start.size()));
    const std::vector<std::string_view> names(siblings.begin(), siblings.end());
    std::string hint = did_you_mean(name, names);
    if (hint.empty() && !names.empty()) hint = fmt::format("there are: {}", fmt::join(names, ", "));
    return {ErrorCode::kDataRefused,
            fmt::format("{}: unknown key '{}'", where(file_, pointer_of(key), true), key),
            std::move(hint)};
  }

  const ConfigFile& file_;
  std::set<std::string> keys_;
};

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): never set here
    if (!value) return std::nullopt;
    return value;
  };
}

Result<std::optional<ConfigFile>> find_config(const std::string& chosen, const Environment& env) {
  std::vector<std::filesystem::path> places;
  if (!chosen.empty()) {
    places.emplace_back(chosen);
  } else {
    const std::string xdg = env("XDG_CONFIG_HOME").value_or("");
    const std::string home = env("HOME").value_or("");
    if (xdg.starts_with('/'))  // the XDG specification: a relative path is ignored
      places.emplace_back(xdg + "/aictl/config.yaml");
    else if (!home.empty())
      places.emplace_back(home + "/.config/aictl/config.yaml");
    places.emplace_back("/etc/aictl/config.yaml");
  }
  for (const std::filesystem::path& path : places) {
    std::error_code ignored;
    if (chosen.empty() && !std::filesystem::exists(path, ignored)) continue;
    auto file = read_config(path);
    if (!file) return std::move(file).error();
    return std::optional(std::move(*file));
  }
  return std::optional<ConfigFile>();
}

Result<void> check_keys(const ConfigFile& file, const std::vector<const Schema*>& known) {
  return KeyCheck(file, known).section(file.document.tree, "");
}

Result<void> apply_file(Schema& schema, const ConfigFile& file) {
  for (Row& row : schema.rows()) {
    const std::string key = row.key();
    const Json* value = key.empty() ? nullptr : value_at(file.document.tree, key);
    if (!value) continue;
    const std::string pointer = pointer_of(key);
    auto ok = row.set_json(*value, Origin::kFile, where(file, pointer, false));
    if (!ok) return std::move(ok).error().within(where(file, pointer, true));
  }
  return {};
}

Result<void> apply_environment(Schema& schema, const Environment& env) {
  for (Row& row : schema.rows()) {
    const std::string variable = row.variable();
    const auto value = variable.empty() ? std::nullopt : env(variable);
    if (!value || value->empty()) continue;
    auto ok = row.set_text(*value, Origin::kEnvironment, variable);
    if (!ok) return std::move(ok).error().within(variable);
  }
  return {};
}

}  // namespace aictl
