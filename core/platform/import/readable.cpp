// What the reader of specs refuses is taken away, and told.
#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "core/platform/import/draft.hpp"
#include "core/platform/spec/read.hpp"
#include "core/value/yaml_write.hpp"

namespace aictl::platform {
namespace {

constexpr int kMostRounds = 100;

// The place of a mistake in the tree: the nodes on the way, the last being what is to go.
struct Way {
  std::vector<Json*> nodes;
  bool whole = true;  // the path was followed to its end
};

// The longest key of `node` that `path` begins with: labels have dots in them.
std::string key_of(const Json& node, std::string_view path) {
  std::string best;
  for (const auto& entry : node.items()) {
    const std::string& key = entry.key();
    const bool fits = path.starts_with(key) && (path.size() == key.size() ||
                                                path[key.size()] == '.' || path[key.size()] == '[');
    if (fits && key.size() > best.size()) best = key;
  }
  return best;
}

Way follow(Json& spec, std::string_view path) {
  Way way;
  Json* node = &spec;
  while (!path.empty()) {
    if (path.front() == '.') path.remove_prefix(1);
    if (path.starts_with('[') && node->is_array()) {
      size_t index = 0;
      const auto [end, failed] = std::from_chars(path.data() + 1, path.data() + path.size(), index);
      if (failed != std::errc() || index >= node->size()) break;
      path.remove_prefix(std::min<size_t>(size_t(end - path.data()) + 1, path.size()));
      node = &(*node)[index];
    } else if (node->is_object()) {
      const std::string key = key_of(*node, path);
      if (key.empty()) break;
      path.remove_prefix(key.size());
      node = &(*node)[key];
    } else {
      break;
    }
    way.nodes.push_back(node);
  }
  way.whole = path.empty();
  return way;
}

// Nodes that were made null, out of their mappings and lists, and what is left empty by that.
void prune(Json& node) {
  if (!node.is_structured()) return;
  Json kept = node.is_array() ? Json::array() : Json::object();
  for (auto& entry : node.items()) {
    if (entry.value().is_null()) continue;
    prune(entry.value());
    if (node.is_array())
      kept.push_back(std::move(entry.value()));
    else
      kept[entry.key()] = std::move(entry.value());
  }
  node = std::move(kept);
}

class Repair {
 public:
  Repair(Json& spec, Draft& draft) : spec_(spec), draft_(draft) {}

  // Whether something was taken away.
  bool take_away(const std::vector<Mistake>& mistakes) {
    for (const Mistake& mistake : mistakes) {
      if (mistake.path == ".") return false;
      Way way = follow(spec_, mistake.path);
      if (way.nodes.empty()) return false;
      Json* node = way.nodes.back();
      if (mistake.rule == "spec/cycle" && node->is_object() && node->contains("needs"))
        node = &(*node)["needs"];
      draft_.leave(origin_of(mistake.path), mistake.path, mistake.message);
      *node = nullptr;
    }
    drop_entries("models", draft_.models);
    drop_entries("agents", draft_.agents);
    drop_entries("jobs", draft_.jobs);
    prune(spec_);
    return true;
  }

 private:
  // The object that an item of the spec came from.
  std::string origin_of(const std::string& path) const {
    const size_t open = path.find('['), close = path.find(']');
    if (open == path.npos || close == path.npos) return "the spec";
    size_t index = 0;
    std::from_chars(path.data() + open + 1, path.data() + close, index);
    const std::string list = path.substr(0, open);
    const std::vector<Entry>* entries = list == "models"   ? &draft_.models
                                        : list == "agents" ? &draft_.agents
                                        : list == "jobs"   ? &draft_.jobs
                                                           : nullptr;
    return entries && index < entries->size() ? (*entries)[index].label : "the spec";
  }

  void drop_entries(const char* key, std::vector<Entry>& entries) {
    if (!spec_.contains(key) || !spec_[key].is_array()) return;
    const Json& list = spec_[key];
    std::vector<Entry> kept;
    for (size_t i = 0; i < entries.size() && i < list.size(); ++i)
      if (!list[i].is_null()) kept.push_back(std::move(entries[i]));
    entries = std::move(kept);
  }

  Json& spec_;
  Draft& draft_;
};

// What both have: `tree` is without defaults, `said` without what is worked out.
Json both(const Json& tree, const Json& said) {
  if (tree.is_array() && said.is_array() && tree.size() == said.size()) {
    Json list = Json::array();
    for (size_t i = 0; i < tree.size(); ++i) list.push_back(both(tree[i], said[i]));
    return list;
  }
  if (!tree.is_object() || !said.is_object()) return tree;
  Json kept = Json::object();
  for (const auto& entry : tree.items())
    if (said.contains(entry.key())) kept[entry.key()] = both(entry.value(), said[entry.key()]);
  return kept;
}

// A model's name that is made from its source anyway.
void drop_derived_names(Json& spec) {
  if (!spec.contains("models")) return;
  for (Json& model : spec["models"]) {
    if (!model.is_object() || !model.contains("name") || !model.contains("source")) continue;
    Json alone = {{"name", "x"}, {"models", Json::array()}};
    alone["models"].push_back(
        {{"source", model["source"]}, {"engine", model.value("engine", Json("aictl"))}});
    const SpecReading reading = check_platform(write_yaml(alone), "");
    if (reading.platform && reading.platform->models[0].name == model["name"]) model.erase("name");
  }
}

}  // namespace

Json readable(Json spec, Draft& draft, const Plugins* plugins) {
  prune(spec);
  Repair repair(spec, draft);
  for (int round = 0; round < kMostRounds; ++round) {
    const SpecReading reading = check_platform(write_yaml(spec), "the imported spec", plugins);
    if (!reading.platform) {
      if (!repair.take_away(reading.mistakes)) return nullptr;
      continue;
    }
    Json kept = both(platform_tree(*reading.platform, false), spec);
    drop_derived_names(kept);
    return kept;
  }
  return nullptr;
}

}  // namespace aictl::platform
