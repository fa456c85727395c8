// Fields: what a mapping of a spec may hold. Scalars are rows, as settings are; beside them stand
// mappings, lists of mappings and mappings with keys of the writer's choice. Declared once, they
// are the reader, the JSON schema, the manual and the writer.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/config/schema.hpp"
#include "core/platform/spec/fields/rules.hpp"

namespace aictl::platform {

class Fields;

template <typename T>
using FieldsOf = Fields (*)(T&);

/// One key of a mapping.
struct Field {
  // kTree: mappings by name, whose keys somebody else knows.
  enum class Kind { kValue, kSection, kList, kMap, kTree };

  std::string name, help;
  Kind kind = Kind::kValue;
  std::optional<Row> row;           // kValue
  const Rule* text_rule = nullptr;  // of a text, of each item of a list of texts, of a kMap's keys
  std::optional<std::pair<double, double>> bounds;
  bool is_required = false;
  std::map<std::string, Json>* trees = nullptr;  // kTree
  std::string default_words;  // what the manual says of the default, when that is worked out

  /// The fields of a fresh item, with its defaults.
  std::function<Fields()> sample;
  /// The fields of the section, of a new item of the list, of the item `key` of the map.
  std::function<Fields(const std::string& key)> open;
  /// The fields of what is there, by key in a map.
  std::function<std::vector<std::pair<std::string, Fields>>()> items;

  Field& rule(const Rule& rule) { return text_rule = &rule, *this; }
  Field& required() { return is_required = true, *this; }
  Field& derived(std::string words) { return default_words = std::move(words), *this; }
  Field& range(double low, double high) {
    bounds = {low, high};
    row = std::move(*row).range(low, high);
    return *this;
  }
  Field& choices(std::vector<std::string> words) {
    row = std::move(*row).choices(std::move(words));
    return *this;
  }
};

class Fields {
 public:
  /// A scalar or a list of texts. The reference is good until the next field is added.
  Field& add(Row row);

  /// A mapping. `field` counts as enabled, where it has such a member, once the key is there.
  template <typename T>
  Field& section(std::string name, T* field, std::string help, FieldsOf<T> fields) {
    Field& made = make(std::move(name), Field::Kind::kSection, std::move(help), fields);
    made.open = [field, fields](const std::string&) { return enable(*field), fields(*field); };
    made.items = [field, fields] {
      std::vector<std::pair<std::string, Fields>> found;
      if (is_there(*field)) found.emplace_back("", fields(*field));
      return found;
    };
    return made;
  }

  /// A list of mappings.
  template <typename T>
  Field& list(std::string name, std::vector<T>* items, std::string help, FieldsOf<T> fields) {
    Field& made = make(std::move(name), Field::Kind::kList, std::move(help), fields);
    made.open = [items, fields](const std::string&) { return fields(items->emplace_back()); };
    made.items = [items, fields] {
      std::vector<std::pair<std::string, Fields>> found;
      for (T& item : *items) found.emplace_back("", fields(item));
      return found;
    };
    return made;
  }

  /// A mapping with keys of the writer's choice, which keep the field's rule.
  template <typename T>
  Field& map(std::string name, std::map<std::string, T>* items, std::string help,
             FieldsOf<T> fields) {
    Field& made = make(std::move(name), Field::Kind::kMap, std::move(help), fields);
    made.open = [items, fields](const std::string& key) { return fields((*items)[key]); };
    made.items = [items, fields] {
      std::vector<std::pair<std::string, Fields>> found;
      for (auto& [key, item] : *items) found.emplace_back(key, fields(item));
      return found;
    };
    return made;
  }

  /// Mappings by name that are kept as they are.
  Field& tree(std::string name, std::map<std::string, Json>* trees, std::string help);

  /// Lets a bare text stand for a mapping with this one field; `only`: the mapping itself is not
  /// understood.
  Fields& shorthand(std::string name, bool only = false) {
    shorthand_ = std::move(name);
    only_shorthand_ = only;
    return *this;
  }

  std::vector<Field>& all() { return fields_; }
  const std::vector<Field>& all() const { return fields_; }
  Field* find(std::string_view name);
  const std::string& shorthand() const { return shorthand_; }
  bool only_shorthand() const { return only_shorthand_; }

 private:
  template <typename T>
  static void enable(T& section) {
    if constexpr (requires { section.enabled; }) section.enabled = true;
  }
  template <typename T>
  static bool is_there(const T& section) {
    if constexpr (requires { section.enabled; }) return section.enabled;
    return true;
  }

  template <typename T>
  Field& make(std::string name, Field::Kind kind, std::string help, FieldsOf<T> fields) {
    Field& made = fields_.emplace_back();
    made.name = std::move(name);
    made.kind = kind;
    made.help = std::move(help);
    made.sample = [fields] {
      auto scratch = std::make_shared<T>();  // shared with the rows that are bound to it
      enable(*scratch);
      Fields bound = fields(*scratch);
      bound.keep_ = scratch;
      return bound;
    };
    return made;
  }

  std::vector<Field> fields_;
  std::string shorthand_;
  bool only_shorthand_ = false;
  std::shared_ptr<void> keep_;  // what a sample is bound to
};

}  // namespace aictl::platform
