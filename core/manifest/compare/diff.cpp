#include "core/manifest/compare/diff.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "core/manifest/check/check.hpp"
#include "core/manifest/compare/normal.hpp"
#include "core/manifest/compare/server.hpp"

namespace aictl::manifest {
namespace {

using Change = Difference::Change;

struct Object {
  std::string label, kind;
  const Schema* schema = nullptr;
  Json normal;
  bool served = false;  // a server gave it back
};

// By group, kind, namespace, name and number among equals.
std::map<std::string, Object> objects_of(std::span<const Document> documents,
                                         const Catalog& catalog) {
  std::map<std::string, Object> objects;
  for (const Document& document : documents) {
    const auto [api_version, kind] = identify(document);
    const Kind* known = catalog.find(api_version, kind);
    const std::string named = document.label();
    std::string name = named.substr(named.find('/') + 1);
    if (name == fmt::format("document {}", document.number)) name = "(no name)";
    const std::string_view space = document.name_space();
    Object object{space.empty() ? fmt::format("{}/{}", kind, name)
                                : fmt::format("{}/{}/{}", kind, space, name),
                  kind, known == nullptr ? nullptr : known->schema,
                  normal_form(document.object, catalog), was_served(document.object)};
    std::string key = fmt::format("{}\n{}\n{}\n{}", kind, space, name, document.group());
    while (objects.contains(key)) key += "\n again";
    objects.emplace(std::move(key), std::move(object));
  }
  return objects;
}

class Differ {
 public:
  explicit Differ(std::vector<Difference>& out) : out_(out) {}

  void compare(const Object& a, const Object& b) {
    a_ = &a;
    b_ = &b;
    value(a.normal, b.normal, a.schema, "");
  }

 private:
  void say(Change change, const std::string& path, Json before, Json after) {
    out_.push_back(
        {change, a_->label, path.empty() ? "." : path, std::move(before), std::move(after)});
  }

  void value(const Json& a, const Json& b, const Schema* schema, const std::string& path) {
    if (a == b) return;
    if (a.is_object() && b.is_object()) return map(a, b, schema, path);
    const bool keyed = a.is_array() && b.is_array() && schema != nullptr &&
                       schema->list_type == ListType::kMap && !schema->list_map_keys.empty();
    if (keyed) return list_map(a, b, *schema, path);
    if (a.is_array() && b.is_array() && a.size() == b.size()) {
      for (size_t i = 0; i < a.size(); ++i)
        value(a[i], b[i], schema == nullptr ? nullptr : schema->items,
              fmt::format("{}[{}]", path, i));
      return;
    }
    say(Change::kChanged, path, a, b);
  }

  static const Schema* below(const Schema* schema, const std::string& name) {
    return schema == nullptr ? nullptr : schema->below(name);
  }

  // A field that only one of them has: the other has its default, or nothing. What a server filled
  // in by itself is no difference.
  void one_side(const std::string& path, const Json& item, const Schema* schema, bool before) {
    if ((before ? a_ : b_)->served && !(before ? b_ : a_)->served && is_filled_in(a_->kind, path)) {
      ++passed_by_;
      return;
    }
    const bool scalar = schema != nullptr && !schema->fallback.is_null() &&
                        !schema->fallback.is_structured() && !item.is_structured();
    if (scalar)
      say(Change::kChanged, path, before ? item : schema->fallback,
          before ? schema->fallback : item);
    else
      say(before ? Change::kRemoved : Change::kAdded, path, before ? item : Json(),
          before ? Json() : item);
  }

  void map(const Json& a, const Json& b, const Schema* schema, const std::string& path) {
    const auto at = [&path](const std::string& name) {
      return path.empty() ? name : path + "." + name;
    };
    for (const auto& item : a.items()) {
      const auto other = b.find(item.key());
      if (other == b.end())
        one_side(at(item.key()), item.value(), below(schema, item.key()), true);
      else
        value(item.value(), *other, below(schema, item.key()), at(item.key()));
    }
    for (const auto& item : b.items())
      if (!a.contains(item.key()))
        one_side(at(item.key()), item.value(), below(schema, item.key()), false);
  }

  static std::map<std::string, const Json*> by_key(const Json& list, const Schema& schema) {
    std::map<std::string, const Json*> items;
    for (size_t i = 0; i < list.size(); ++i) {
      std::string key;
      for (const std::string& name : schema.list_map_keys) {
        const Json value = list[i].is_object() ? list[i].value(name, Json()) : Json();
        if (value.is_null()) continue;
        key += (key.empty() ? "" : ",") + name + "=" +
               (value.is_string() ? value.get<std::string>() : dump_json(value));
      }
      if (key.empty()) key = fmt::format("{}", i);
      while (items.contains(key)) key += "'";
      items.emplace(std::move(key), &list[i]);
    }
    return items;
  }

  void list_map(const Json& a, const Json& b, const Schema& schema, const std::string& path) {
    const auto before = by_key(a, schema), after = by_key(b, schema);
    const size_t start = out_.size(), passed_by = passed_by_;
    for (const auto& [key, item] : before) {
      const auto other = after.find(key);
      if (other == after.end())
        say(Change::kRemoved, fmt::format("{}[{}]", path, key), *item, nullptr);
      else
        value(*item, *other->second, schema.items, fmt::format("{}[{}]", path, key));
    }
    for (const auto& [key, item] : after)
      if (!before.contains(key))
        say(Change::kAdded, fmt::format("{}[{}]", path, key), nullptr, *item);
    if (out_.size() == start && passed_by_ == passed_by)
      say(Change::kChanged, path, a, b);  // the order, where it counts
  }

  std::vector<Difference>& out_;
  const Object *a_ = nullptr, *b_ = nullptr;
  size_t passed_by_ = 0;  // fields that a server filled in
};

// A value in a line of the text: short ones in full.
std::string brief(const Json& value) {
  std::string text = dump_json(value);
  return text.size() <= 100 ? text
                            : fmt::format("{}... ({} bytes)", text.substr(0, 80), text.size());
}

}  // namespace

std::string_view word(Change change) {
  return change == Change::kAdded ? "added" : change == Change::kRemoved ? "removed" : "changed";
}

std::vector<Difference> diff_objects(std::span<const Document> a, std::span<const Document> b,
                                     const Catalog& catalog) {
  const auto before = objects_of(a, catalog), after = objects_of(b, catalog);
  std::vector<Difference> differences;
  Differ differ(differences);
  for (const auto& [key, object] : before) {
    const auto other = after.find(key);
    if (other == after.end())
      differences.push_back({Change::kRemoved, object.label, ".", object.normal, nullptr});
    else
      differ.compare(object, other->second);
  }
  for (const auto& [key, object] : after)
    if (!before.contains(key))
      differences.push_back({Change::kAdded, object.label, ".", nullptr, object.normal});
  std::stable_sort(differences.begin(), differences.end(),
                   [](const Difference& x, const Difference& y) {
                     return std::tie(x.object, x.path) < std::tie(y.object, y.path);
                   });
  return differences;
}

std::string diff_text(std::span<const Difference> differences) {
  std::string text;
  std::string_view object;
  for (const Difference& difference : differences) {
    if (difference.path == ".") {
      text += fmt::format("{} {}\n",
                          difference.change == Change::kAdded     ? '+'
                          : difference.change == Change::kRemoved ? '-'
                                                                  : '~',
                          difference.object);
      continue;
    }
    if (difference.object != object) text += fmt::format("~ {}\n", difference.object);
    object = difference.object;
    if (difference.change == Change::kAdded)
      text += fmt::format("  + {}: {}\n", difference.path, brief(difference.after));
    else if (difference.change == Change::kRemoved)
      text += fmt::format("  - {}: {}\n", difference.path, brief(difference.before));
    else
      text += fmt::format("  ~ {}: {} -> {}\n", difference.path, brief(difference.before),
                          brief(difference.after));
  }
  return text;
}

Json diff_json(std::span<const Difference> differences) {
  Json list = Json::array();
  for (const Difference& difference : differences)
    list.push_back({{"object", difference.object},
                    {"path", difference.path},
                    {"change", word(difference.change)},
                    {"before", difference.before},
                    {"after", difference.after}});
  return list;
}

}  // namespace aictl::manifest
