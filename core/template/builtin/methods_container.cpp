// Methods of dict, list and tuple, and of loop. Lists and mappings belong to the render, so what
// changes them changes nothing outside it; templates of some models do.
#include "core/template/builtin/builtin.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace aictl::jinja {
namespace {

bool check_key(Call& call, size_t i) {
  if (hashable(call.at(i))) return true;
  call.rt.fail(fmt::format("unhashable type: '{}'", type_name(call.at(i))));
  return false;
}

Value dict_get(Call& call) {
  if (!check_key(call, 0)) return {};
  if (const Value* found = call.self.dict->find(call.at(0))) return *found;
  return call.has(1) ? call.at(1) : Value::none();
}

enum class Part { kKeys, kValues, kItems };

template <Part part>
Value dict_view(Call& call) {
  std::vector<Value> items;
  for (const auto& [key, value] : call.self.dict->entries) {
    if (part == Part::kItems)
      items.push_back(call.rt.sequence(Kind::kTuple, {key, value}, call.self.untrusted));
    else
      items.push_back(part == Part::kKeys ? key : value);
  }
  Value view = call.rt.sequence(Kind::kView, std::move(items), call.self.untrusted);
  if (!call.rt.failed())
    view.sequence->view = part == Part::kKeys     ? "dict_keys"
                          : part == Part::kValues ? "dict_values"
                                                  : "dict_items";
  return view;
}

Value dict_copy(Call& call) {
  Dict* copy = call.rt.dict();
  if (!call.rt.spend(call.self.dict->entries.size())) return {};
  copy->entries = call.self.dict->entries;
  return Value::of(Kind::kDict, copy, call.self.untrusted);
}

Value dict_pop(Call& call) {
  if (!check_key(call, 0)) return {};
  if (const Value* found = call.self.dict->find(call.at(0))) {
    const Value value = *found;
    if (call.rt.spend(call.self.dict->entries.size())) call.self.dict->erase(call.at(0));
    return value;
  }
  if (call.has(1)) return call.at(1);
  TextBuilder key;
  print_repr(call.rt, key, call.at(0));
  return call.rt.fail(fmt::format("no key {}", key.bytes()));
}

Value dict_update(Call& call) {
  if (!call.given.positional.empty()) {
    const Value& other = call.given.positional[0];
    if (!other.is(Kind::kDict))
      return call.rt.fail(fmt::format("'{}' object is not a mapping", type_name(other)));
    if (!call.rt.spend(other.dict->entries.size())) return {};
    const auto entries = other.dict->entries;  // it may be the same mapping
    for (const auto& [key, value] : entries) call.self.dict->set(key, value);
  }
  for (const auto& [name, value] : call.given.named)
    call.self.dict->set(call.rt.literal(name), value);
  return Value::none();
}

Value dict_setdefault(Call& call) {
  if (!check_key(call, 0)) return {};
  if (const Value* found = call.self.dict->find(call.at(0))) return *found;
  const Value value = call.has(1) ? call.at(1) : Value::none();
  call.self.dict->set(call.at(0), value);
  return value;
}

Value list_append(Call& call) {
  if (call.rt.spend()) call.self.sequence->items.push_back(call.at(0));
  return Value::none();
}

Value list_extend(Call& call) {
  std::vector<Value> storage;
  const auto* more = items_of(call.rt, call.at(0), storage);
  if (more == nullptr || !call.rt.spend(1 + more->size())) return {};
  const std::vector<Value> added = *more;  // it may be the same list
  auto& items = call.self.sequence->items;
  items.insert(items.end(), added.begin(), added.end());
  return Value::none();
}

Value list_insert(Call& call) {
  auto& items = call.self.sequence->items;
  const auto size = static_cast<int64_t>(items.size());
  int64_t at = call.integer(0, 0);
  if (call.rt.failed() || !call.rt.spend(items.size() / 8)) return {};
  if (at < 0) at = std::max<int64_t>(at + size, 0);
  items.insert(items.begin() + std::min(at, size), call.at(1));
  return Value::none();
}

Value list_pop(Call& call) {
  auto& items = call.self.sequence->items;
  const auto size = static_cast<int64_t>(items.size());
  int64_t at = call.integer(0, -1);
  if (call.rt.failed() || !call.rt.spend(items.size() / 8)) return {};
  if (at < 0) at += size;
  if (at < 0 || at >= size)
    return call.rt.fail(size == 0 ? "pop from empty list" : "pop index out of range");
  const Value value = items[static_cast<size_t>(at)];
  items.erase(items.begin() + at);
  return value;
}

Value sequence_index(Call& call) {
  const auto& items = call.self.sequence->items;
  for (size_t i = 0; i < items.size() && !call.rt.failed(); ++i)
    if (equal(call.rt, items[i], call.at(0))) return Value::of(static_cast<int64_t>(i));
  return call.rt.fail("the value is not in the list");
}

Value sequence_count(Call& call) {
  int64_t count = 0;
  for (const Value& item : call.self.sequence->items)
    if (equal(call.rt, item, call.at(0))) ++count;
  return Value::of(count);
}

Value list_copy(Call& call) { return call.rt.list(call.self.sequence->items, call.self.untrusted); }

Value loop_cycle(Call& call) {
  const auto& given = call.given.positional;
  if (given.empty()) return call.rt.fail("no items for cycling given");
  return given[call.self.loop->index % given.size()];
}

// loop.changed(values): whether they differ from those of the call before.
Value loop_changed(Call& call) {
  const Value now = call.rt.sequence(Kind::kTuple, call.given.positional);
  if (call.rt.failed()) return {};
  Value& before = call.self.loop->changed;
  if (!before.is_undefined() && equal(call.rt, before, now)) return Value::of(false);
  before = now;
  return Value::of(true);
}

constexpr Builtin kDictMethods[] = {
    {"get", dict_get, "key default", 1},
    {"keys", dict_view<Part::kKeys>, ""},
    {"values", dict_view<Part::kValues>, ""},
    {"items", dict_view<Part::kItems>, ""},
    {"copy", dict_copy, ""},
    {"pop", dict_pop, "key default", 1},
    {"update", dict_update, "*"},
    {"setdefault", dict_setdefault, "key default", 1},
    {"clear", nullptr, ""},
    {"popitem", nullptr, ""},
    {"fromkeys", nullptr, ""},
};

constexpr Builtin kListMethods[] = {
    {"append", list_append, "object", 1},
    {"extend", list_extend, "iterable", 1},
    {"insert", list_insert, "index object", 2},
    {"pop", list_pop, "index"},
    {"index", sequence_index, "value", 1},
    {"count", sequence_count, "value", 1},
    {"copy", list_copy, ""},
    {"clear", nullptr, ""},
    {"remove", nullptr, ""},
    {"reverse", nullptr, ""},
    {"sort", nullptr, ""},
};

constexpr Builtin kTupleMethods[] = {
    {"index", sequence_index, "value", 1},
    {"count", sequence_count, "value", 1},
};

constexpr Builtin kLoopMethods[] = {
    {"cycle", loop_cycle, "*"},
    {"changed", loop_changed, "*"},
};

const Builtin* find_in(const Builtin* table, size_t size, std::string_view name) {
  for (size_t i = 0; i < size; ++i)
    if (table[i].name == name) return &table[i];
  return nullptr;
}

}  // namespace

const Builtin* find_method(Kind kind, std::string_view name) {
  switch (kind) {
    case Kind::kText:
      return find_in(text_methods().first, text_methods().second, name);
    case Kind::kDict:
      return find_in(kDictMethods, std::size(kDictMethods), name);
    case Kind::kList:
      return find_in(kListMethods, std::size(kListMethods), name);
    case Kind::kTuple:
      return find_in(kTupleMethods, std::size(kTupleMethods), name);
    case Kind::kLoop:
      return find_in(kLoopMethods, std::size(kLoopMethods), name);
    default:
      return nullptr;
  }
}

}  // namespace aictl::jinja
