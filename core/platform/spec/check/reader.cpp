#include "core/platform/spec/check/reader.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/base/nearest.hpp"
#include "core/base/utf8.hpp"
#include "core/platform/spec/names.hpp"

namespace aictl::platform {
namespace {

constexpr size_t kLongestMessage = 400, kLongestText = 32768;

// Without what would move a terminal's cursor, and not longer than `longest` bytes.
std::string printable(std::string_view text, size_t longest) {
  std::string out;
  for (const char c : text.substr(0, longest))
    out += static_cast<unsigned char>(c) < ' ' || c == 0x7f ? '?' : c;
  if (text.size() <= longest) return out;
  while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xc0) == 0x80) out.pop_back();
  if (!out.empty() && static_cast<unsigned char>(out.back()) >= 0xc0) out.pop_back();
  return out + "...";
}

std::string_view what_it_is(const Json& value) {
  if (value.is_null()) return "nothing";
  if (value.is_object()) return "a mapping";
  if (value.is_array()) return "a list";
  if (value.is_string()) return "a text";
  return value.is_boolean() ? "true or false" : "a number";
}

// What people write in other systems' words, or what must not stand in a file.
std::string_view hint_for(std::string_view key) {
  if (key == "metadata") return "name and namespace stand at the top";
  if (key == "spec") return "its fields stand at the top";
  if (key == "apiVersion") return "it stands at the top alone";
  return "";
}

bool is_credential(std::string_view key) {
  constexpr std::string_view kKeys[] = {"api_key",    "apikey",     "apiKey",     "token",
                                        "password",   "hf_token",   "key",        "api_token",
                                        "access_key", "secret_key", "credentials"};
  return std::ranges::find(kKeys, key) != std::end(kKeys);
}

void unknown_field(const Spot& spot, std::string_view key,
                   const std::vector<std::string_view>& known, Mistakes& mistakes) {
  const Spot at = spot.field(key);
  if (is_credential(key))
    return mistakes.add(at, "spec/secret",
                        fmt::format("no field '{}': a spec holds no credentials", key),
                        "make a secret, and name it with `secret: NAME`");
  std::string hint(hint_for(key));
  if (hint.empty()) hint = did_you_mean(key, known);
  if (hint.empty()) hint = fmt::format("known here are {}", fmt::join(known, ", "));
  mistakes.add(at, "spec/unknown-field", fmt::format("no field '{}'", key), hint);
}

bool clean_text(const std::string& name, const Json& value, const Spot& spot, Mistakes& mistakes) {
  if (!value.is_string()) return true;
  const auto& text = value.get_ref<const std::string&>();
  if (looks_secret(text)) {
    mistakes.add(spot, "spec/secret",
                 fmt::format("{} reads like a credential: '{}...'", name, text.substr(0, 3)),
                 "make a secret of it, and name the secret");
    return false;
  }
  if (text.size() <= kLongestText) return true;
  mistakes.add(spot, "spec/length",
               fmt::format("{} has {} bytes, {} at most", name, text.size(), kLongestText));
  return false;
}

bool keeps_rule(const Field& field, const Json& value, const Spot& spot, Mistakes& mistakes) {
  if (!clean_text(field.name, value, spot, mistakes)) return false;
  if (!field.text_rule || !value.is_string()) return true;
  const auto& text = value.get_ref<const std::string&>();
  const Rule& rule = *field.text_rule;
  if (text.empty() && !field.is_required) return true;  // as if it were left out
  const bool long_enough = rule.longest > 0 && text.size() > rule.longest;
  if (!long_enough && rule.keeps(text)) return true;
  const bool label = &rule == &kLabelRule || &rule == &kServiceLabelRule;
  mistakes.add(spot, fmt::format("spec/{}", rule.name),
               fmt::format("{} '{}' is not {}", field.name, printable(text, 80), rule.what),
               label ? fmt::format("such as '{}'", slug(text, kLabelLength)) : "");
  return false;
}

void read_row(Row& row, const Json& value, const Spot& spot, Mistakes& mistakes) {
  if (value.is_null())
    return mistakes.add(spot, "spec/value", fmt::format("{} has no value", row.name()),
                        "leave the field out for its default");
  auto ok = row.set_json(value, Origin::kFile, "");
  if (ok) return;
  std::string hint = ok.error().hint;
  const bool number = row.kind() == FieldKind::kInteger || row.kind() == FieldKind::kReal ||
                      row.kind() == FieldKind::kBool;
  if (hint.empty() && value.is_string() && number) hint = "write it without quotes";
  mistakes.add(spot, "spec/value", ok.error().message, hint);
}

void read_value(Field& field, const Json& value, const Spot& spot, Mistakes& mistakes) {
  bool good = keeps_rule(field, value, spot, mistakes);
  if (value.is_array() && field.row->kind() == FieldKind::kList)
    for (size_t i = 0; i < value.size(); ++i)
      good = keeps_rule(field, value[i], spot.item(i), mistakes) && good;
  if (good) read_row(*field.row, value, spot, mistakes);
}

void read_list(Field& field, const Json& value, const Spot& spot, Mistakes& mistakes) {
  if (!value.is_array())
    return mistakes.add(spot, "spec/value",
                        fmt::format("{} is {}, not a list", field.name, what_it_is(value)),
                        "an item a line, each after a dash");
  for (size_t i = 0; i < value.size() && !mistakes.full(); ++i) {
    Fields item = field.open("");
    read_fields(item, value[i], spot.item(i), mistakes);
  }
}

void read_map(Field& field, const Json& value, const Spot& spot, Mistakes& mistakes) {
  if (!value.is_object())
    return mistakes.add(spot, "spec/value",
                        fmt::format("{} is {}, not a mapping", field.name, what_it_is(value)));
  for (const auto& [key, one] : value.items()) {
    const Spot at = spot.field(key);
    if (field.text_rule && !field.text_rule->keeps(key)) {
      mistakes.add(at, fmt::format("spec/{}", field.text_rule->name),
                   fmt::format("'{}' is not {}", printable(key, 80), field.text_rule->what));
      continue;
    }
    Fields item = field.open(key);
    read_fields(item, one, at, mistakes);
  }
}

void read_trees(Field& field, const Json& value, const Spot& spot, Mistakes& mistakes) {
  if (!value.is_object())
    return mistakes.add(spot, "spec/value",
                        fmt::format("{} is {}, not a mapping", field.name, what_it_is(value)));
  for (const auto& [key, one] : value.items()) {
    if (one.is_object() || one.is_null())
      (*field.trees)[key] = one.is_null() ? Json::object() : Json(one);
    else
      mistakes.add(spot.field(key), "spec/value",
                   fmt::format("{} is {}, not a mapping", key, what_it_is(one)));
  }
}

void read_field(Field& field, const Json& value, const Spot& spot, Mistakes& mistakes) {
  switch (field.kind) {
    case Field::Kind::kValue:
      return read_value(field, value, spot, mistakes);
    case Field::Kind::kSection: {
      Fields section = field.open("");
      if (!value.is_null()) read_fields(section, value, spot, mistakes);
      return;
    }
    case Field::Kind::kList:
      return read_list(field, value, spot, mistakes);
    case Field::Kind::kMap:
      return read_map(field, value, spot, mistakes);
    case Field::Kind::kTree:
      return read_trees(field, value, spot, mistakes);
  }
}

}  // namespace

Spot Spot::field(std::string_view name) const {
  Spot at{pointer + "/", path};
  bool word = !name.empty();
  for (const char c : name) {
    at.pointer += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    word = word && (std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-');
  }
  if (word)
    at.path += (path.empty() ? "" : ".") + std::string(name);
  else
    at.path += fmt::format("[\"{}\"]", printable(name, 80));
  return at;
}

Spot Spot::item(size_t index) const {
  return {fmt::format("{}/{}", pointer, index), fmt::format("{}[{}]", path, index)};
}

void Mistakes::add(const Spot& spot, std::string_view rule, std::string_view message,
                   std::string_view hint) {
  if (full()) return;
  Mistake mistake;
  for (std::string at = spot.pointer;; at.resize(at.rfind('/'))) {
    const auto found = places_.find(at);
    if (found != places_.end()) mistake.place = found->second;
    if (found != places_.end() || at.empty()) break;
  }
  mistake.path = spot.path.empty() ? "." : spot.path;
  mistake.rule = rule;
  mistake.message = printable(message, kLongestMessage);
  mistake.hint = printable(hint, kLongestMessage);
  mistakes_.push_back(std::move(mistake));
}

std::vector<Mistake> Mistakes::sorted() && {
  std::ranges::stable_sort(mistakes_, [](const Mistake& a, const Mistake& b) {
    return std::pair(a.place.line, a.place.column) < std::pair(b.place.line, b.place.column);
  });
  return std::move(mistakes_);
}

void read_fields(Fields& fields, const Json& tree, const Spot& spot, Mistakes& mistakes) {
  if (mistakes.full()) return;
  const bool scalar = !tree.is_object() && !tree.is_array() && !tree.is_null();
  if (!fields.shorthand().empty() && (scalar || fields.only_shorthand()))
    return read_value(*fields.find(fields.shorthand()), tree, spot, mistakes);
  if (!tree.is_object())
    return mistakes.add(spot, "spec/value", fmt::format("{}, not a mapping", what_it_is(tree)),
                        "write `field: value`, a line each");
  std::vector<std::string_view> known;
  for (const Field& field : fields.all()) known.push_back(field.name);
  std::set<std::string_view> given;
  for (const auto& [key, value] : tree.items()) {
    if (mistakes.full()) return;
    Field* field = fields.find(key);
    if (!field) {
      unknown_field(spot, key, known, mistakes);
      continue;
    }
    given.insert(field->name);
    read_field(*field, value, spot.field(key), mistakes);
  }
  for (const Field& field : fields.all())
    if (field.is_required && !given.contains(field.name))
      mistakes.add(spot, "spec/required", fmt::format("{} is missing", field.name), field.help);
}

void read_rows(std::vector<Row>& rows, const Json& tree, const Spot& spot, Mistakes& mistakes) {
  std::vector<std::string> names;
  for (const Row& row : rows) {
    names.push_back(row.name());
    std::ranges::replace(names.back(), '-', '_');
  }
  const std::vector<std::string_view> known(names.begin(), names.end());
  for (const auto& [key, value] : tree.items()) {
    const auto at = std::ranges::find(names, key);
    if (at == names.end())
      unknown_field(spot, key, known, mistakes);
    else if (clean_text(key, value, spot.field(key), mistakes))
      read_row(rows[size_t(at - names.begin())], value, spot.field(key), mistakes);
  }
}

}  // namespace aictl::platform
