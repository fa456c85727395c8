// Filters that run other filters and tests over the items: map, select, reject.
#include "core/template/builtin/builtin.hpp"

#include <string>

#include <fmt/format.h>

namespace aictl::jinja {
namespace {

// What is walked: nothing if the value is false, whatever it is.
const std::vector<Value>* items(Call& call, std::vector<Value>& storage) {
  if (!truth(call.rt, call.self)) return call.rt.failed() ? nullptr : &storage;
  return items_of(call.rt, call.self, storage);
}

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
      return call.rt.fail(
          fmt::format("no filter named '{}'", name.is_text() ? name.text->bytes : type_name(name)));
  } else if (attribute == nullptr) {
    return call.rt.fail("map requires a filter argument");
  }
  const CallArguments rest = rest_of(call.given, 1);
  std::vector<Value> storage;
  const auto* all = items(call, storage);
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
      return call.rt.fail(
          fmt::format("no test named '{}'", name.is_text() ? name.text->bytes : type_name(name)));
  }
  const CallArguments rest = rest_of(call.given, skip + 1);
  std::vector<Value> storage;
  const auto* all = items(call, storage);
  std::vector<Value> chosen;
  for (size_t i = 0; all != nullptr && i < all->size() && call.rt.spend(); ++i) {
    const Value& item = (*all)[i];
    const Value tested = by_attribute ? lookup_path(call.rt, item, call.given.positional[0]) : item;
    const Value result = test != nullptr ? invoke(call.rt, *test, tested, rest) : tested;
    if (!call.rt.failed() && truth(call.rt, result) == wanted) chosen.push_back(item);
  }
  return call.rt.sequence(Kind::kGenerator, std::move(chosen), call.self.untrusted);
}

Value filter_select(Call& call) { return choose(call, true, false); }
Value filter_reject(Call& call) { return choose(call, false, false); }
Value filter_selectattr(Call& call) { return choose(call, true, true); }
Value filter_rejectattr(Call& call) { return choose(call, false, true); }

Value filter_attr(Call& call) {
  const Text* name = call.text(0);
  if (name == nullptr) return {};
  if (call.self.is_undefined()) return call.rt.fail_undefined(call.self);
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
    {"attr", filter_attr, "name", 1},
};

}  // namespace

std::pair<const Builtin*, size_t> selection_filters() { return {kFilters, std::size(kFilters)}; }

}  // namespace aictl::jinja
