// Truth, equality, order, membership, walking.
#include "core/template/value/operations.hpp"

#include "core/base/utf8.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace aictl::jinja {
namespace {

bool too_deep(Runtime& rt, int depth) {
  if (depth <= kMaxDataDepth) return false;
  rt.fail_too_large(fmt::format("data is nested deeper than {}", kMaxDataDepth));
  return true;
}

bool equal_items(Runtime& rt, const Sequence& a, const Sequence& b, int depth) {
  if (a.items.size() != b.items.size()) return false;
  for (size_t i = 0; i < a.items.size(); ++i)
    if (!equal(rt, a.items[i], b.items[i], depth + 1)) return false;
  return true;
}

bool equal_dicts(Runtime& rt, Dict& a, Dict& b, int depth) {
  if (a.entries.size() != b.entries.size()) return false;
  for (const auto& [key, value] : a.entries) {
    const Value* other = b.find(key);
    if (other == nullptr || !equal(rt, value, *other, depth + 1)) return false;
  }
  return true;
}

}  // namespace

bool truth(Runtime& rt, const Value& value) {
  switch (value.kind) {
    case Kind::kUndefined:
      rt.allow_undefined(value);
      return false;
    case Kind::kNone:
      return false;
    case Kind::kBool:
    case Kind::kInt:
      return value.as_integer() != 0;
    case Kind::kFloat:
      return value.real != 0;
    case Kind::kText:
      return !value.text->bytes.empty();
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kRange:
    case Kind::kView:
      return !value.sequence->items.empty();
    case Kind::kDict:
      return !value.dict->entries.empty();
    default:
      return true;
  }
}

bool equal_scalars(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) {
    if (a.is_integer() && b.is_integer()) return a.as_integer() == b.as_integer();
    return a.as_real() == b.as_real();
  }
  if (a.kind != b.kind) return false;
  if (a.is_text()) return a.text->bytes == b.text->bytes;
  if (a.is(Kind::kNone) || a.is_undefined()) return true;
  return a.missing == b.missing;  // any pointer of the union: the same thing
}

bool equal(Runtime& rt, const Value& a, const Value& b, int depth) {
  if (too_deep(rt, depth) || !rt.spend()) return false;
  if (a.is_undefined() && !rt.allow_undefined(a)) return false;
  if (b.is_undefined() && !rt.allow_undefined(b)) return false;
  if (a.kind == b.kind) {
    if (a.is_text() && a.text->bytes.size() == b.text->bytes.size() &&
        !rt.spend(a.text->bytes.size() / 64))
      return false;
    if (a.is_indexed()) return equal_items(rt, *a.sequence, *b.sequence, depth);
    if (a.is(Kind::kDict)) return equal_dicts(rt, *a.dict, *b.dict, depth);
  }
  return equal_scalars(a, b);
}

bool less(Runtime& rt, const Value& a, const Value& b, std::string_view sign, int depth) {
  if (too_deep(rt, depth) || !rt.spend()) return false;
  if (a.is_undefined() || b.is_undefined()) {
    rt.fail_undefined(a.is_undefined() ? a : b);
    return false;
  }
  if (a.is_number() && b.is_number()) {
    if (a.is_integer() && b.is_integer()) return a.as_integer() < b.as_integer();
    return a.as_real() < b.as_real();
  }
  if (a.is_text() && b.is_text()) return a.text->bytes < b.text->bytes;
  if (a.kind == b.kind && (a.is(Kind::kList) || a.is(Kind::kTuple))) {
    const auto& left = a.sequence->items;
    const auto& right = b.sequence->items;
    for (size_t i = 0; i < std::min(left.size(), right.size()); ++i)
      if (!equal(rt, left[i], right[i], depth + 1))
        return less(rt, left[i], right[i], sign, depth + 1);
    return left.size() < right.size();
  }
  const bool swapped = sign == ">" || sign == "<=";
  rt.fail(fmt::format("'{}' not supported between instances of '{}' and '{}'", sign,
                      type_name(swapped ? b : a), type_name(swapped ? a : b)));
  return false;
}

bool contains(Runtime& rt, const Value& container, const Value& item) {
  if (container.is_text()) {
    if (!item.is_text()) {
      rt.fail(
          fmt::format("'in <string>' requires string as left operand, not {}", type_name(item)));
      return false;
    }
    return rt.spend(container.text->bytes.size() / 32) &&
           container.text->bytes.find(item.text->bytes) != std::string_view::npos;
  }
  if (container.is(Kind::kDict)) {
    if (!hashable(item)) {
      rt.fail(fmt::format("unhashable type: '{}'", type_name(item)));
      return false;
    }
    return container.dict->find(item) != nullptr;
  }
  if (!container.is_sequence() && !container.is_undefined()) {
    rt.fail(fmt::format("argument of type '{}' is not iterable", type_name(container)));
    return false;
  }
  std::vector<Value> storage;
  const std::vector<Value>* items = items_of(rt, container, storage);
  for (size_t i = 0; items != nullptr && i < items->size(); ++i)
    if (equal(rt, (*items)[i], item)) return true;
  return false;
}

bool hashable(const Value& value) {
  return value.is_text() || value.is_number() || value.is(Kind::kNone) || value.is_undefined();
}

std::vector<Value> characters(Runtime& rt, const Text& text) {
  std::vector<Value> found;
  OriginCursor origin(text);
  for (size_t at = 0; at < text.bytes.size() && rt.spend();) {
    const auto length = static_cast<size_t>(utf8::decode(text.bytes.substr(at)).length);
    found.push_back(rt.text(Text{text.bytes.substr(at, length), origin.trusted_at(at)}));
    at += length;
  }
  return found;
}

const std::vector<Value>* items_of(Runtime& rt, const Value& value, std::vector<Value>& storage) {
  switch (value.kind) {
    case Kind::kUndefined:
      return rt.allow_undefined(value) ? &storage : nullptr;
    case Kind::kText:
      storage = characters(rt, *value.text);
      return rt.failed() ? nullptr : &storage;
    case Kind::kGenerator:
      storage.swap(value.sequence->items);
      value.sequence->items.clear();
      return &storage;
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kRange:
    case Kind::kView:
      return &value.sequence->items;
    case Kind::kDict:
      if (!rt.spend(value.dict->entries.size())) return nullptr;
      for (const auto& [key, entry] : value.dict->entries) storage.push_back(key);
      return &storage;
    default:
      rt.fail(fmt::format("'{}' object is not iterable", type_name(value)));
      return nullptr;
  }
}

std::optional<int64_t> length_of(Runtime& rt, const Value& value) {
  switch (value.kind) {
    case Kind::kUndefined:
      if (!rt.allow_undefined(value)) return std::nullopt;
      return 0;
    case Kind::kText:
      if (!rt.spend(value.text->bytes.size() / 32)) return std::nullopt;
      return static_cast<int64_t>(utf8::count(value.text->bytes));
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kRange:
    case Kind::kView:
      return static_cast<int64_t>(value.sequence->items.size());
    case Kind::kDict:
      return static_cast<int64_t>(value.dict->entries.size());
    case Kind::kLoop:
      return static_cast<int64_t>(value.loop->items->size());
    default:
      rt.fail(fmt::format("object of type '{}' has no len()", type_name(value)));
      return std::nullopt;
  }
}

}  // namespace aictl::jinja
