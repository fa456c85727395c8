// A platform back as a tree, by the rows it was read with.
#include <algorithm>

#include "core/platform/spec/fields/platform_fields.hpp"
#include "core/platform/spec/read.hpp"

namespace aictl::platform {
namespace {

// Keys in one order, at every depth.
Json sorted(const Json& tree) {
  if (tree.is_array()) {
    Json list = Json::array();
    for (const Json& item : tree) list.push_back(sorted(item));
    return list;
  }
  if (!tree.is_object()) return tree;
  std::vector<std::string> keys;
  for (const auto& [key, value] : tree.items()) keys.push_back(key);
  std::ranges::sort(keys);
  Json out = Json::object();
  for (const std::string& key : keys) out[key] = sorted(tree[key]);
  return out;
}

Json write(Fields& bound, const Fields& sample, bool defaults);

Json write_items(Field& field, bool defaults) {
  const bool by_key = field.kind == Field::Kind::kMap;
  Json out = by_key ? Json::object() : Json::array();
  const Fields sample = field.sample();
  for (auto& [key, item] : field.items()) {
    Json tree = item.only_shorthand() ? item.find(item.shorthand())->row->load()
                                      : write(item, sample, defaults);
    if (by_key)
      out[key] = std::move(tree);
    else
      out.push_back(std::move(tree));
  }
  return out;
}

void write_section(Field& field, bool defaults, Json& out) {
  auto there = field.items();
  Fields sample = field.sample();
  const bool can_be_off = sample.find("enabled") != nullptr;
  if (there.empty()) {
    if (defaults) out[field.name] = {{"enabled", false}};
    return;
  }
  Json tree = write(there.front().second, sample, defaults);
  if (defaults || can_be_off || !tree.empty()) out[field.name] = std::move(tree);
}

Json write(Fields& bound, const Fields& sample, bool defaults) {
  Json out = Json::object();
  for (size_t i = 0; i < bound.all().size(); ++i) {
    Field& field = bound.all()[i];
    switch (field.kind) {
      case Field::Kind::kValue: {
        const Json value = field.row->load();
        if (defaults || value != sample.all()[i].row->load()) out[field.name] = value;
        break;
      }
      case Field::Kind::kSection:
        write_section(field, defaults, out);
        break;
      case Field::Kind::kList:
      case Field::Kind::kMap: {
        Json items = write_items(field, defaults);
        if (defaults || !items.empty()) out[field.name] = std::move(items);
        break;
      }
      case Field::Kind::kTree:
        for (const auto& [name, tree] : *field.trees)
          out[field.name][name] = defaults ? sorted(tree) : tree;
        break;
    }
  }
  return out;
}

}  // namespace

Json platform_tree(const Platform& platform, bool defaults) {
  Platform copy = platform;  // rows bind what they may write to
  Platform fresh;
  Fields bound = platform_fields(copy);
  return write(bound, platform_fields(fresh), defaults);
}

}  // namespace aictl::platform
