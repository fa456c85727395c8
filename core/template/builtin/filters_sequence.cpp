// Filters over sequences that look at items as they are: length, join, sort and their kin.
#include "core/base/utf8.hpp"
#include "core/template/builtin/builtin.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>

namespace aictl::jinja {
namespace {

bool is_user_data(const Value& value) {
  return value.is_text() ? value.text->has_untrusted() : value.untrusted;
}

// Walks what is filtered; nullptr after an error.
const std::vector<Value>* items(Call& call, std::vector<Value>& storage) {
  const std::vector<Value>* found = items_of(call.rt, call.self, storage);
  if (found == nullptr || !call.rt.spend(1 + found->size())) return nullptr;
  return found;
}

// What an item is sorted, grouped or compared by: an attribute of it, letters without case.
Value sort_key(Runtime& rt, const Value& item, const Value* attribute, bool case_sensitive) {
  Value key = attribute != nullptr ? lookup_path(rt, item, *attribute) : item;
  if (!case_sensitive && key.is_text() && !rt.failed())
    key = change_case(rt, *key.text, CaseChange::kLower);
  return key;
}

struct Keyed {
  std::vector<Value> keys;
  Value item;
};

// `bare`: the one key itself is compared, not a list of it, so equal ones need an order too.
void sort_keyed(Runtime& rt, std::vector<Keyed>& keyed, bool reverse, bool bare = false) {
  auto before = [&rt, bare](const Keyed& a, const Keyed& b) {
    if (bare) return less(rt, a.keys[0], b.keys[0]) && !rt.failed();
    for (size_t i = 0; i < a.keys.size() && !rt.failed(); ++i) {
      if (equal(rt, a.keys[i], b.keys[i])) continue;
      return less(rt, a.keys[i], b.keys[i]) && !rt.failed();
    }
    return false;
  };
  if (reverse)
    std::stable_sort(keyed.begin(), keyed.end(),
                     [&](const Keyed& a, const Keyed& b) { return before(b, a); });
  else
    std::stable_sort(keyed.begin(), keyed.end(), before);
}

// The attributes of sort(attribute="a,b"): one or several.
std::vector<Value> attributes_of(Call& call, size_t parameter) {
  if (!call.given_some(parameter)) return {};
  if (!call.at(parameter).is_text()) return {call.at(parameter)};
  std::vector<Value> found;
  std::string_view rest = call.at(parameter).text->bytes;
  while (true) {
    const size_t comma = rest.find(',');
    found.push_back(call.rt.literal(rest.substr(0, comma)));
    if (comma == std::string_view::npos) return found;
    rest.remove_prefix(comma + 1);
  }
}

Value filter_length(Call& call) {
  const auto length = length_of(call.rt, call.self);
  return length ? Value::of(*length, is_user_data(call.self)) : Value{};
}

Value filter_first(Call& call) {
  if (call.self.is(Kind::kGenerator) && !call.self.sequence->items.empty()) {
    auto& left = call.self.sequence->items;
    const Value first = left.front();
    if (call.rt.spend(left.size())) left.erase(left.begin());
    return first;
  }
  std::vector<Value> storage;
  const auto* all = items(call, storage);
  if (all == nullptr) return {};
  return all->empty() ? call.rt.undefined("No first item, sequence was empty.") : all->front();
}

Value filter_last(Call& call) {
  if (call.self.is(Kind::kGenerator)) return call.rt.fail("'generator' object is not reversible");
  std::vector<Value> storage;
  const auto* all = items(call, storage);
  if (all == nullptr) return {};
  return all->empty() ? call.rt.undefined("No last item, sequence was empty.") : all->back();
}

Value filter_join(Call& call) {
  static const Text kNothing{};
  const Value separator = call.has(0) ? to_text(call.rt, call.at(0)) : Value::of(&kNothing);
  std::vector<Value> storage;
  const auto* all = items(call, storage);
  if (all == nullptr || call.rt.failed()) return {};
  if (!call.given_some(1)) return join(call.rt, *all, *separator.text);
  std::vector<Value> pieces;
  for (const Value& item : *all) pieces.push_back(lookup_path(call.rt, item, call.at(1)));
  return call.rt.failed() ? Value{} : join(call.rt, pieces, *separator.text);
}

Value filter_list(Call& call) {
  std::vector<Value> storage;
  const auto* all = items(call, storage);
  return all == nullptr ? Value{} : call.rt.list(*all, call.self.untrusted);
}

Value filter_reverse(Call& call) {
  if (call.self.is_text())
    return get_slice(call.rt, call.self, Value::none(), Value::none(), Value::of(int64_t{-1}));
  std::vector<Value> storage;
  const auto* all = items(call, storage);
  if (all == nullptr) return {};
  return call.rt.sequence(Kind::kGenerator, {all->rbegin(), all->rend()}, call.self.untrusted);
}

Value filter_sort(Call& call) {
  std::vector<Value> storage;
  const auto* all = items(call, storage);
  const bool case_sensitive = call.flag(1);
  const std::vector<Value> attributes = attributes_of(call, 2);
  std::vector<Keyed> keyed;
  for (size_t i = 0; all != nullptr && i < all->size(); ++i) {
    Keyed entry{{}, (*all)[i]};
    if (attributes.empty())
      entry.keys.push_back(sort_key(call.rt, entry.item, nullptr, case_sensitive));
    for (const Value& attribute : attributes)
      entry.keys.push_back(sort_key(call.rt, entry.item, &attribute, case_sensitive));
    keyed.push_back(std::move(entry));
  }
  sort_keyed(call.rt, keyed, call.flag(0));
  std::vector<Value> sorted;
  for (Keyed& entry : keyed) sorted.push_back(entry.item);
  return call.rt.list(std::move(sorted), call.self.untrusted);
}

Value filter_dictsort(Call& call) {
  if (!call.self.is(Kind::kDict)) {
    if (call.self.is_undefined()) return call.rt.fail_undefined(call.self);
    return call.rt.missing_attribute(call.self, "items").is_undefined()
               ? call.rt.fail(
                     fmt::format("'{}' object has no attribute 'items'", type_name(call.self)))
               : Value{};
  }
  size_t by = 0;
  if (call.has(1)) {
    const Text* word = call.text(1);
    if (word == nullptr) return {};
    if (word->bytes != "key" && word->bytes != "value")
      return call.rt.fail("You can only sort by either \"key\" or \"value\"");
    by = word->bytes == "value" ? 1 : 0;
  }
  const bool case_sensitive = call.flag(0);
  std::vector<Keyed> keyed;
  for (const auto& [key, value] : call.self.dict->entries) {
    const Value pair = call.rt.sequence(Kind::kTuple, {key, value}, call.self.untrusted);
    if (call.rt.failed()) return {};
    keyed.push_back({{sort_key(call.rt, by == 0 ? key : value, nullptr, case_sensitive)}, pair});
  }
  sort_keyed(call.rt, keyed, call.flag(2), true);
  std::vector<Value> sorted;
  for (Keyed& entry : keyed) sorted.push_back(entry.item);
  return call.rt.list(std::move(sorted), call.self.untrusted);
}

Value filter_unique(Call& call) {
  std::vector<Value> storage;
  const auto* all = items(call, storage);
  const bool case_sensitive = call.flag(0);
  std::vector<Value> kept;
  Dict* seen = call.rt.dict();
  for (size_t i = 0; all != nullptr && i < all->size() && call.rt.spend(); ++i) {
    const Value& item = (*all)[i];
    const Value key =
        sort_key(call.rt, item, call.given_some(1) ? &call.at(1) : nullptr, case_sensitive);
    if (!hashable(key)) return call.rt.fail(fmt::format("unhashable type: '{}'", type_name(key)));
    if (!key.is_text() && !call.rt.spend(seen->entries.size())) return {};
    if (seen->find(key) != nullptr) continue;
    seen->set(key, Value::none());
    kept.push_back(item);
  }
  return call.rt.sequence(Kind::kGenerator, std::move(kept), call.self.untrusted);
}

Value extreme(Call& call, bool largest) {
  std::vector<Value> storage;
  const auto* all = items(call, storage);
  if (all == nullptr) return {};
  if (all->empty()) return call.rt.undefined("No aggregated item, sequence was empty.");
  const bool case_sensitive = call.flag(0);
  const Value* attribute = call.given_some(1) ? &call.at(1) : nullptr;
  Value best = all->front();
  Value best_key = sort_key(call.rt, best, attribute, case_sensitive);
  for (size_t i = 1; i < all->size() && !call.rt.failed(); ++i) {
    const Value key = sort_key(call.rt, (*all)[i], attribute, case_sensitive);
    if (!less(call.rt, largest ? best_key : key, largest ? key : best_key, largest ? ">" : "<"))
      continue;
    best = (*all)[i];
    best_key = key;
  }
  return best;
}

Value filter_min(Call& call) { return extreme(call, false); }
Value filter_max(Call& call) { return extreme(call, true); }

Value filter_sum(Call& call) {
  std::vector<Value> storage;
  const auto* all = items(call, storage);
  Value total = call.has(1) ? call.at(1) : Value::of(int64_t{0});
  for (size_t i = 0; all != nullptr && i < all->size() && !call.rt.failed(); ++i) {
    const Value& item = (*all)[i];
    total = arithmetic(call.rt, "+", total,
                       call.given_some(0) ? lookup_path(call.rt, item, call.at(0)) : item);
  }
  return total;
}

Value filter_items(Call& call) {
  if (call.self.is_undefined()) return call.rt.sequence(Kind::kGenerator, {});
  if (!call.self.is(Kind::kDict)) return call.rt.fail("Can only get item pairs from a mapping.");
  std::vector<Value> pairs;
  for (const auto& [key, value] : call.self.dict->entries)
    pairs.push_back(call.rt.sequence(Kind::kTuple, {key, value}, call.self.untrusted));
  return call.rt.sequence(Kind::kGenerator, std::move(pairs), call.self.untrusted);
}

// Pairs of a key and the items that have it, told apart without case, in the key's order.
Value filter_groupby(Call& call) {
  std::vector<Value> storage;
  const auto* all = items(call, storage);
  std::vector<Keyed> keyed;
  for (size_t i = 0; all != nullptr && i < all->size() && !call.rt.failed(); ++i) {
    Value key = lookup_path(call.rt, (*all)[i], call.at(0));
    if (key.is_undefined() && call.has(1)) key = call.at(1);
    const Value folded = key.is_text() ? change_case(call.rt, *key.text, CaseChange::kLower) : key;
    const Value shown = call.rt.sequence(Kind::kTuple, {key, (*all)[i]});
    keyed.push_back({{folded}, shown});
  }
  sort_keyed(call.rt, keyed, false, true);
  std::vector<Value> groups;
  for (size_t i = 0; i < keyed.size() && !call.rt.failed();) {
    const Keyed& first = keyed[i];
    std::vector<Value> members;
    for (; i < keyed.size() && equal(call.rt, keyed[i].keys[0], first.keys[0]); ++i)
      members.push_back(keyed[i].item.sequence->items[1]);
    if (members.empty()) break;
    const Value list = call.rt.list(std::move(members), call.self.untrusted);
    groups.push_back(call.rt.sequence(Kind::kTuple, {first.item.sequence->items[0], list}));
  }
  return call.rt.list(std::move(groups));
}

Value filter_batch(Call& call) {
  std::vector<Value> storage;
  const auto* all = items(call, storage);
  const int64_t width = call.integer(0, 1);
  if (all == nullptr || call.rt.failed()) return {};
  std::vector<Value> batches;
  std::vector<Value> batch;
  for (const Value& item : *all) {
    if (!batch.empty() && static_cast<int64_t>(batch.size()) == width)
      batches.push_back(call.rt.list(std::exchange(batch, {})));
    batch.push_back(item);
  }
  if (!batch.empty()) {
    const int64_t lacking = width - static_cast<int64_t>(batch.size());
    if (call.given_some(1) && lacking > 0) {
      if (!call.rt.spend(static_cast<uint64_t>(lacking))) return {};
      batch.insert(batch.end(), static_cast<size_t>(lacking), call.at(1));
    }
    batches.push_back(call.rt.list(std::move(batch)));
  }
  return call.rt.sequence(Kind::kGenerator, std::move(batches));
}

constexpr Builtin kFilters[] = {
    {"length", filter_length, ""},
    {"count", filter_length, ""},
    {"first", filter_first, ""},
    {"last", filter_last, ""},
    {"join", filter_join, "d attribute"},
    {"list", filter_list, ""},
    {"reverse", filter_reverse, ""},
    {"sort", filter_sort, "reverse case_sensitive attribute"},
    {"dictsort", filter_dictsort, "case_sensitive by reverse"},
    {"unique", filter_unique, "case_sensitive attribute"},
    {"min", filter_min, "case_sensitive attribute"},
    {"max", filter_max, "case_sensitive attribute"},
    {"sum", filter_sum, "attribute start"},
    {"items", filter_items, ""},
    {"groupby", filter_groupby, "attribute default", 1},
    {"batch", filter_batch, "linecount fill_with", 1},
};

}  // namespace

std::pair<const Builtin*, size_t> sequence_filters() { return {kFilters, std::size(kFilters)}; }

}  // namespace aictl::jinja
