// Global functions: range, dict, namespace, raise_exception, strftime_now.
#include "core/template/builtin/builtin.hpp"

#include <array>
#include <ctime>
#include <string>

#include <fmt/format.h>

namespace aictl::jinja {
namespace {

constexpr int64_t kMaxRange = 100'000;  // as the sandbox of Python's Jinja has it

Value function_range(Call& call) {
  const auto& given = call.given.positional;
  if (given.empty() || given.size() > 3 || !call.given.named.empty())
    return call.rt.fail("range expected 1 to 3 arguments");
  std::array<int64_t, 3> parts{0, 0, 1};
  for (size_t i = 0; i < given.size(); ++i) {
    if (given[i].is_undefined()) return call.rt.fail_undefined(given[i]);
    if (!given[i].is_integer())
      return call.rt.fail(
          fmt::format("'{}' object cannot be interpreted as an integer", type_name(given[i])));
    parts[given.size() == 1 ? 1 : i] = given[i].as_integer();
  }
  const auto [start, stop, step] = parts;
  if (step == 0) return call.rt.fail("range() arg 3 must not be zero");
  std::vector<Value> items;
  for (int64_t i = start; step > 0 ? i < stop : i > stop;) {
    if (static_cast<int64_t>(items.size()) >= kMaxRange)
      return call.rt.fail_too_large(fmt::format("range too big, the limit is {}", kMaxRange));
    items.push_back(Value::of(i));
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  Value range = call.rt.sequence(Kind::kRange, std::move(items));
  if (!call.rt.failed()) range.sequence->range = parts;
  return range;
}

// dict(mapping_or_pairs, **names) and namespace(...), which only differ in what they give.
Value make_mapping(Call& call, Kind kind) {
  Dict* made = call.rt.dict();
  if (call.given.positional.size() > 1)
    return call.rt.fail("expected at most 1 positional argument");
  if (!call.given.positional.empty()) {
    const Value& source = call.given.positional[0];
    if (source.is(Kind::kDict)) {
      for (const auto& [key, value] : source.dict->entries) made->set(key, value);
      call.rt.spend(source.dict->entries.size());
    } else {
      std::vector<Value> storage;
      const auto* pairs = items_of(call.rt, source, storage);
      for (size_t i = 0; pairs != nullptr && i < pairs->size() && call.rt.spend(); ++i) {
        const Value& pair = (*pairs)[i];
        if (!pair.is_indexed() || pair.sequence->items.size() != 2 ||
            !hashable(pair.sequence->items[0]))
          return call.rt.fail("expected pairs of a key and a value");
        made->set(pair.sequence->items[0], pair.sequence->items[1]);
      }
    }
  }
  for (const auto& [name, value] : call.given.named) made->set(call.rt.literal(name), value);
  return Value::of(kind, made);
}

Value function_dict(Call& call) { return make_mapping(call, Kind::kDict); }
Value function_namespace(Call& call) { return make_mapping(call, Kind::kNamespace); }

Value function_raise(Call& call) {
  const Value message = to_text(call.rt, call.at(0));
  return call.rt.failed() ? Value{} : call.rt.raise(std::string(message.text->bytes));
}

Value function_strftime(Call& call) {
  const Text* format = call.text(0);
  if (format == nullptr) return {};
  if (format->bytes.size() > 256)
    return call.rt.fail_too_large("the format of strftime_now is longer than 256 bytes");
  const time_t now = call.rt.limits.now;
  std::tm parts{};
  if (gmtime_r(&now, &parts) == nullptr) return call.rt.fail("the time is out of range");
  std::string text;
  for (size_t i = 0; i < format->bytes.size(); ++i) {
    if (format->bytes[i] != '%' || i + 1 >= format->bytes.size()) {
      text += format->bytes[i];
      continue;
    }
    size_t length = 2;
    if ((format->bytes[i + 1] == '-' || format->bytes[i + 1] == '_') &&
        i + 2 < format->bytes.size())
      length = 3;
    const std::string one(format->bytes.substr(i, length));
    i += length - 1;
    if (one == "%f") {  // microseconds, which a time in seconds has none of
      text += "000000";
    } else if (one != "%z" && one != "%Z") {  // a time without a zone prints none
      std::array<char, 128> buffer;
      text.append(buffer.data(), strftime(buffer.data(), buffer.size(), one.c_str(), &parts));
    }
  }
  return call.rt.text(std::move(text), !format->has_untrusted());
}

constexpr Builtin kFunctions[] = {
    {"range", function_range, "*"},
    {"dict", function_dict, "*"},
    {"namespace", function_namespace, "*"},
    {"raise_exception", function_raise, "message", 1},
    {"strftime_now", function_strftime, "format", 1},
};

}  // namespace

const Builtin* find_function(std::string_view name) {
  for (const Builtin& function : kFunctions)
    if (function.name == name) return &function;
  return nullptr;
}

}  // namespace aictl::jinja
