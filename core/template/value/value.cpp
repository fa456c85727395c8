// Values and their containers.
#include "core/template/value/value.hpp"

#include "core/template/value/operations.hpp"

#include <algorithm>

namespace aictl::jinja {
namespace {

constexpr size_t kIndexFrom = 12;  // entries; below, looking at each is faster

}  // namespace

Value Value::none() {
  Value value;
  value.kind = Kind::kNone;
  return value;
}

Value Value::of(bool boolean) {
  Value value;
  value.kind = Kind::kBool;
  value.boolean = boolean;
  return value;
}

Value Value::of(int64_t integer, bool untrusted) {
  Value value;
  value.kind = Kind::kInt;
  value.integer = integer;
  value.untrusted = untrusted;
  return value;
}

Value Value::of(double real, bool untrusted) {
  Value value;
  value.kind = Kind::kFloat;
  value.real = real;
  value.untrusted = untrusted;
  return value;
}

Value Value::of(const Text* text) {
  Value value;
  value.kind = Kind::kText;
  value.text = text;
  return value;
}

Value Value::of(Kind kind, Sequence* sequence, bool untrusted) {
  Value value;
  value.kind = kind;
  value.sequence = sequence;
  value.untrusted = untrusted;
  return value;
}

Value Value::of(Kind kind, Dict* dict, bool untrusted) {
  Value value;
  value.kind = kind;
  value.dict = dict;
  value.untrusted = untrusted;
  return value;
}

Value* Dict::find(std::string_view key) {
  if (entries.size() < kIndexFrom) {
    for (auto& [name, value] : entries)
      if (name.is_text() && name.text->bytes == key) return &value;
    return nullptr;
  }
  for (; indexed_ < entries.size(); ++indexed_) {
    const Value& name = entries[indexed_].first;
    if (name.is_text()) index_.emplace(name.text->bytes, indexed_);
  }
  auto found = index_.find(key);
  return found == index_.end() ? nullptr : &entries[found->second].second;
}

Value* Dict::find(const Value& key) {
  if (key.is_text()) return find(key.text->bytes);
  for (auto& [name, value] : entries)
    if (!name.is_text() && equal_scalars(name, key)) return &value;
  return nullptr;
}

void Dict::set(const Value& key, const Value& value) {
  if (Value* present = find(key))
    *present = value;
  else
    entries.emplace_back(key, value);
}

bool Dict::erase(const Value& key) {
  Value* present = find(key);
  if (present == nullptr) return false;
  auto at = std::find_if(entries.begin(), entries.end(),
                         [&](const auto& entry) { return &entry.second == present; });
  entries.erase(at);
  index_.clear();
  indexed_ = 0;
  return true;
}

std::string_view type_name(const Value& value) {
  switch (value.kind) {
    case Kind::kUndefined:
      return "Undefined";
    case Kind::kNone:
      return "NoneType";
    case Kind::kBool:
      return "bool";
    case Kind::kInt:
      return "int";
    case Kind::kFloat:
      return "float";
    case Kind::kText:
      return value.text->markup ? "Markup" : "str";
    case Kind::kList:
      return "list";
    case Kind::kTuple:
      return "tuple";
    case Kind::kRange:
      return "range";
    case Kind::kGenerator:
      return "generator";
    case Kind::kView:
      return value.sequence->view;
    case Kind::kDict:
      return "dict";
    case Kind::kNamespace:
      return "Namespace";
    case Kind::kMacro:
      return "Macro";
    case Kind::kFunction:
      return "function";
    case Kind::kMethod:
      return "builtin_function_or_method";
    case Kind::kLoop:
      return "LoopContext";
  }
  return "object";
}

std::string object_name(const Value& value) {
  if (value.is(Kind::kNone)) return "None";
  if (value.is(Kind::kNamespace)) return "jinja2.utils.Namespace object";
  if (value.is(Kind::kMacro)) return "jinja2.runtime.Macro object";
  if (value.is(Kind::kLoop)) return "jinja2.runtime.LoopContext object";
  return std::string(type_name(value)) + " object";
}

}  // namespace aictl::jinja
