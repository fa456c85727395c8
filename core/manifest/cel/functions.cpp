#include "core/manifest/cel/functions.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "core/base/utf8.hpp"
#include "core/manifest/check/pattern.hpp"

namespace aictl::cel {
namespace {

using Arguments = std::span<const Value>;

Value misfit(Store& store, std::string_view name, const Value& value) {
  return store.error(fmt::format("{} does not take a {}", name, type_name(value.type)));
}

Value size(Arguments a, Store& store) {
  if (a[0].is(Type::kString))
    return Value::integer_of(static_cast<int64_t>(utf8::count(a[0].text)));
  if (!a[0].is(Type::kList) && !a[0].is(Type::kMap)) return misfit(store, "size", a[0]);
  return Value::integer_of(static_cast<int64_t>(size_of(a[0])));
}

// Two texts, or why not.
std::optional<Value> not_texts(Arguments a, Store& store, std::string_view name) {
  for (const Value& each : a)
    if (!each.is(Type::kString)) return misfit(store, name, each);
  return std::nullopt;
}

Value contains(Arguments a, Store& store) {
  if (auto wrong = not_texts(a, store, "contains")) return *wrong;
  return Value::boolean_of(a[0].text.find(a[1].text) != a[0].text.npos);
}
Value starts_with(Arguments a, Store& store) {
  if (auto wrong = not_texts(a, store, "startsWith")) return *wrong;
  return Value::boolean_of(a[0].text.starts_with(a[1].text));
}
Value ends_with(Arguments a, Store& store) {
  if (auto wrong = not_texts(a, store, "endsWith")) return *wrong;
  return Value::boolean_of(a[0].text.ends_with(a[1].text));
}

Value matches(Arguments a, Store& store) {
  if (auto wrong = not_texts(a, store, "matches")) return *wrong;
  return Value::boolean_of(manifest::pattern_matches(std::string(a[1].text), a[0].text));
}

// ASCII letters only, as the names of both say.
template <char kFrom, char kTo>
Value cased(Arguments a, Store& store) {
  if (auto wrong = not_texts(a, store, "a change of case")) return *wrong;
  std::string text(a[0].text);
  for (char& c : text)
    if (c >= kFrom && c <= kFrom + 25) c = static_cast<char>(c - kFrom + kTo);
  return Value::text_of(store.keep(std::move(text)));
}

Value split(Arguments a, Store& store) {
  if (auto wrong = not_texts(a, store, "split")) return *wrong;
  std::vector<Value> parts;
  std::string_view rest = a[0].text;
  const std::string_view by = a[1].text;
  while (!rest.empty() || !by.empty()) {
    const size_t end = by.empty() ? static_cast<size_t>(utf8::decode(rest).length) : rest.find(by);
    parts.push_back(Value::text_of(rest.substr(0, end)));
    if (end == rest.npos || (by.empty() && end == rest.size())) break;
    rest.remove_prefix(end + by.size());
  }
  return store.list(std::move(parts));
}

// By characters, not bytes.
Value substring(Arguments a, Store& store) {
  if (!a[0].is(Type::kString)) return misfit(store, "substring", a[0]);
  const auto length = static_cast<int64_t>(utf8::count(a[0].text));
  int64_t bounds[2] = {0, length};
  for (size_t i = 1; i < a.size(); ++i) {
    if (!a[i].is(Type::kInt)) return misfit(store, "substring", a[i]);
    bounds[i - 1] = a[i].integer;
  }
  if (bounds[0] < 0 || bounds[0] > bounds[1] || bounds[1] > length)
    return store.error(
        fmt::format("substring {}..{} of {} characters", bounds[0], bounds[1], length));
  size_t at = 0, begin = 0;
  for (int64_t character = 0; character < bounds[1]; ++character) {
    if (character == bounds[0]) begin = at;
    at += static_cast<size_t>(utf8::decode(a[0].text.substr(at)).length);
  }
  if (bounds[0] == bounds[1]) begin = at;
  return Value::text_of(a[0].text.substr(begin, at - begin));
}

// Go's form: "1h30m", "-1.5s", "250ms", "0".
std::optional<int64_t> nanoseconds(std::string_view text) {
  struct Unit {
    std::string_view name;
    double nanoseconds;
  };
  constexpr Unit kUnits[] = {{"ns", 1},  {"us", 1e3}, {"µs", 1e3},  {"ms", 1e6},
                             {"s", 1e9}, {"m", 6e10}, {"h", 3.6e12}};
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return 0;
  if (text.empty()) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    double amount = 0;
    if (text.front() == '-' || text.front() == '+') return std::nullopt;
    const auto read =
        std::from_chars(text.data(), text.data() + text.size(), amount, std::chars_format::fixed);
    if (read.ec != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<size_t>(read.ptr - text.data()));
    const Unit* unit = nullptr;
    for (const Unit& each : kUnits)
      if (text.starts_with(each.name) && (unit == nullptr || each.name.size() > unit->name.size()))
        unit = &each;
    if (unit == nullptr) return std::nullopt;
    text.remove_prefix(unit->name.size());
    total += amount * unit->nanoseconds;
  }
  if (!(total < 9.2e18)) return std::nullopt;
  const auto whole = static_cast<int64_t>(std::llround(total));
  return negative ? -whole : whole;
}

Value duration(Arguments a, Store& store) {
  if (a[0].is(Type::kDuration)) return a[0];
  if (!a[0].is(Type::kString)) return misfit(store, "duration", a[0]);
  const auto value = nanoseconds(a[0].text);
  if (!value) return store.error(fmt::format("'{}' is no duration", a[0].text));
  return Value::integer_of(*value, Type::kDuration);
}

Value is_ip(Arguments a, Store& store) {
  if (!a[0].is(Type::kString)) return misfit(store, "isIP", a[0]);
  const std::string text(a[0].text);
  unsigned char bytes[16];
  return Value::boolean_of(inet_pton(AF_INET, text.c_str(), bytes) == 1 ||
                           inet_pton(AF_INET6, text.c_str(), bytes) == 1);
}

Value to_int(Arguments a, Store& store) {
  if (a[0].is(Type::kInt)) return a[0];
  if (a[0].is(Type::kDouble) && std::abs(a[0].real) < 9.2e18)
    return Value::integer_of(static_cast<int64_t>(a[0].real));
  int64_t value = 0;
  const std::string_view text = a[0].text;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (!a[0].is(Type::kString) || read.ec != std::errc() || read.ptr != text.data() + text.size())
    return misfit(store, "int", a[0]);
  return Value::integer_of(value);
}

Value to_double(Arguments a, Store& store) {
  if (a[0].is_number()) return Value::real_of(a[0].number());
  double value = 0;
  const std::string_view text = a[0].text;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (!a[0].is(Type::kString) || read.ec != std::errc() || read.ptr != text.data() + text.size())
    return misfit(store, "double", a[0]);
  return Value::real_of(value);
}

Value to_text(Arguments a, Store& store) {
  if (a[0].is(Type::kString)) return a[0];
  if (a[0].is(Type::kInt)) return Value::text_of(store.keep(fmt::format("{}", a[0].integer)));
  if (a[0].is(Type::kDouble)) return Value::text_of(store.keep(fmt::format("{}", a[0].real)));
  if (a[0].is(Type::kBool)) return Value::text_of(a[0].boolean ? "true" : "false");
  return misfit(store, "string", a[0]);
}

Value same(Arguments a, Store&) { return a[0]; }

constexpr Function kFunctions[] = {
    {"size", 1, 1, true, true, size},
    {"contains", 2, 2, true, false, contains},
    {"startsWith", 2, 2, true, false, starts_with},
    {"endsWith", 2, 2, true, false, ends_with},
    {"matches", 2, 2, true, true, matches},
    {"lowerAscii", 1, 1, true, false, cased<'A', 'a'>},
    {"upperAscii", 1, 1, true, false, cased<'a', 'A'>},
    {"split", 2, 2, true, false, split},
    {"substring", 2, 3, true, false, substring},
    {"duration", 1, 1, false, true, duration},
    {"isIP", 1, 1, false, true, is_ip},
    {"int", 1, 1, false, true, to_int},
    {"double", 1, 1, false, true, to_double},
    {"string", 1, 1, false, true, to_text},
    {"dyn", 1, 1, false, true, same},
};

}  // namespace

const Function* find_function(std::string_view name, bool method) {
  for (const Function& row : kFunctions)
    if (row.name == name && (method ? row.as_method : row.as_function)) return &row;
  return nullptr;
}

}  // namespace aictl::cel
