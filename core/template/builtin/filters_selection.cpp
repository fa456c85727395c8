// Filters that run other filters and tests over the items: map, select, reject, groupby.
#include "core/template/builtin/builtin.hpp"

#include <string>

#include <fmt/format.h>

namespace aictl::jinja {
namespace {

// The arguments after the first `skip`, for the filter or test that is run on each item.
CallArguments rest_of(const CallArguments& given, size_t skip) {
  CallArguments rest;
  for (size_t i = skip; i < given.positional.size(); ++i)
    rest.positional.push_back(given.positional[i]);
  rest.named = given.named;
  return rest;
}

const Value* named(const CallArguments& given, std::string_view name) {
  for (const auto& [key, value] : given.named)
    if (key == name) return &value;
  return nullptr;
}

Value filter_map(Call& call) {
  const Value* attribute = named(call.given, "attribute");
  const Value* fallback = named(call.given, "default");
  const Builtin* filter = nullptr;
  if (!call.given.positional.empty()) {
    const Value& name = call.given.positional[0];
    filter = name.is_text() ? find_filter(name.text->bytes) : nullptr;
    if (filter == nullptr)
      return call.rt.fail(fmt::format("no filter named '{}'",
                                      name.is_text() ? name.text->bytes : type_name(name)));
  } else if (attribute == nullptr) {
    return call.rt.fail("map requires a filter argument");
  }
  const CallArguments rest = rest_of(call.given, 1);
  std::vector<Value> storage;
  const auto* all = items_of(call.rt, call.self, storage);
  std::vector<Value> mapped;
  for (size_t i = 0; all != nullptr && i < all->size() && !call.rt.failed(); ++i) {
    const Value& item = (*all)[i];
    if (filter != nullptr) {
      mapped.push_back(invoke(call.rt, *filter, item, rest));
      continue;
    }
    Value found = lookup_path(call.rt, item, *attribute);
    if (found.is_undefined() && fallback != nullptr) found = *fallback;
    mapped.push_back(found);
  }
  return call.rt.sequence(Kind::kGenerator, std::move(mapped), call.self.untrusted);
}

// select, reject and their attr forms: items whose test (default: their truth) gives `wanted`.
Value choose(Call& call, bool wanted, bool by_attribute) {
  const size_t skip = by_attribute ? 1 : 0;
  if (call.given.positional.size() < skip)
    return call.rt.fail("missing parameter for attribute name");
  const Builtin* test = nullptr;
  if (call.given.positional.size() > skip) {
    const Value& name = call.given.positional[skip];
    test = name.is_text() ? find_test(name.text->bytes) : nullptr;
    if (test == nullptr)
      return call.rt.fail(fmt::format("no test named '{}'",
                                      name.is_text() ? name.text->bytes : type_name(name)));
  }
  const CallArguments rest = rest_of(call.given, skip + 1);
  std::vector<Value> storage;
  const auto* all = items_of(call.rt, call.self, storage);
  std::vector<Value> chosen;
  for (size_t i = 0; all != nullptr && i < all->size() && call.rt.spend(); ++i) {
    const Value& item = (*all)[i];
    const Value tested =
        by_attribute ? lookup_path(call.rt, item, call.given.positional[0]) : item;
    const Value result = test != nullptr ? invoke(call.rt, *test, tested, rest) : tested;
    if (!call.rt.failed() && truth(call.rt, result) == wanted) chosen.push_back(item);
  }
  return call.rt.sequence(Kind::kGenerator, std::move(chosen), call.self.untrusted);
}

Value filter_select(Call& call) { return choose(call, true, false); }
Value filter_reject(Call& call) { return choose(call, false, false); }
Value filter_selectattr(Call& call) { return choose(call, true, true); }
Value filter_rejectattr(Call& call) { return choose(call, false, true); }

Value filter_groupby(Call& call) {
  CallArguments by;
  by.named = {{"attribute", call.at(0)}};
  const Value sorted = invoke(call.rt, *find_filter("sort"), call.self, by);
  if (call.rt.failed()) return {};
  std::vector<Value> groups;
  std::vector<Value> members;
  Value key;
  Value folded;  // the key without case, by which groups are told apart
  auto close = [&] {
    if (members.empty()) return;
    const Value list = call.rt.list(std::exchange(members, {}), call.self.untrusted);
    groups.push_back(call.rt.sequence(Kind::kTuple, {key, list}));
  };
  for (const Value& item : sorted.sequence->items) {
    Value next = lookup_path(call.rt, item, call.at(0));
    if (next.is_undefined() && call.has(1)) next = call.at(1);
    if (call.rt.failed()) return {};
    const Value next_folded =
        next.is_text() ? change_case(call.rt, *next.text, CaseChange::kLower) : next;
    if (!members.empty() && !equal(call.rt, folded, next_folded)) close();
    if (members.empty()) key = next;
    folded = next_folded;
    members.push_back(item);
  }
  close();
  return call.rt.list(std::move(groups));
}

Value filter_attr(Call& call) {
  const Text* name = call.text(0);
  if (name == nullptr) return {};
  if (const Builtin* method = find_method(call.self.kind, name->bytes))
    return call.rt.method(method, call.self);
  if (call.self.is(Kind::kNamespace)) return get_attribute(call.rt, call.self, name->bytes);
  return call.rt.missing_attribute(call.self, name->bytes);
}

constexpr Builtin kFilters[] = {
    {"map", filter_map, "*"},
    {"select", filter_select, "*"},
    {"reject", filter_reject, "*"},
    {"selectattr", filter_selectattr, "*"},
    {"rejectattr", filter_rejectattr, "*"},
    {"groupby", filter_groupby, "attribute default", 1},
    {"attr", filter_attr, "name", 1},
};

}  // namespace

std::pair<const Builtin*, size_t> selection_filters() { return {kFilters, std::size(kFilters)}; }

}  // namespace aictl::jinja
