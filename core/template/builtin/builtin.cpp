// Finding builtins by name, and binding arguments to their parameters.
#include "core/template/builtin/builtin.hpp"

#include <string>

#include <fmt/format.h>

namespace aictl::jinja {
namespace {

std::vector<std::string_view> split_names(std::string_view names) {
  std::vector<std::string_view> found;
  while (!names.empty()) {
    const size_t end = names.find(' ');
    found.push_back(names.substr(0, end));
    names.remove_prefix(end == std::string_view::npos ? names.size() : end + 1);
  }
  return found;
}

bool bind(Call& call, const Builtin& builtin) {
  const std::vector<std::string_view> names = split_names(builtin.parameters);
  if (call.given.positional.size() > names.size()) {
    call.rt.fail(fmt::format("{}() takes at most {} arguments ({} given)", builtin.name,
                             names.size(), call.given.positional.size()));
    return false;
  }
  for (size_t i = 0; i < call.given.positional.size(); ++i) {
    call.values[i] = call.given.positional[i];
    call.bound |= 1U << i;
  }
  for (const auto& [name, value] : call.given.named) {
    size_t i = 0;
    while (i < names.size() && names[i] != name) ++i;
    if (i == names.size() || call.has(i)) {
      call.rt.fail(
          i == names.size()
              ? fmt::format("{}() got an unexpected keyword argument '{}'", builtin.name, name)
              : fmt::format("{}() got multiple values for argument '{}'", builtin.name, name));
      return false;
    }
    call.values[i] = value;
    call.bound |= 1U << i;
  }
  for (size_t i = 0; i < static_cast<size_t>(builtin.required); ++i) {
    if (call.has(i)) continue;
    call.rt.fail(fmt::format("{}() missing required argument '{}'", builtin.name, names[i]));
    return false;
  }
  return true;
}

}  // namespace

bool Call::flag(size_t i, bool fallback) const { return has(i) ? truth(rt, at(i)) : fallback; }

int64_t Call::integer(size_t i, int64_t fallback) const {
  if (!given_some(i)) return fallback;
  if (at(i).is_integer()) return at(i).as_integer();
  if (at(i).is_undefined())
    rt.fail_undefined(at(i));
  else
    rt.fail(fmt::format("'{}' object cannot be interpreted as an integer", type_name(at(i))));
  return fallback;
}

const Text* Call::text(size_t i) const {
  if (at(i).is_text()) return at(i).text;
  if (at(i).is_undefined())
    rt.fail_undefined(at(i));
  else
    rt.fail(fmt::format("expected a string, not '{}'", type_name(at(i))));
  return nullptr;
}

const Builtin* find_filter(std::string_view name) {
  for (auto table : {text_filters(), number_filters(), sequence_filters(), selection_filters()})
    for (size_t i = 0; i < table.second; ++i)
      if (table.first[i].name == name) return &table.first[i];
  return nullptr;
}

Value invoke(Runtime& rt, const Builtin& builtin, const Value& self, const CallArguments& given) {
  if (!rt.spend()) return {};
  if (builtin.function == nullptr)
    return rt.fail(fmt::format("access to attribute '{}' of '{}' object is unsafe", builtin.name,
                               type_name(self)));
  Call call{rt, self, given, {}, 0};
  if (builtin.parameters != "*" && !bind(call, builtin)) return {};
  Value result = builtin.function(call);
  return rt.failed() ? Value{} : result;
}

Value lookup_path(Runtime& rt, const Value& owner, const Value& path) {
  if (!path.is_text()) return get_item(rt, owner, path);
  Value value = owner;
  std::string_view rest = path.text->bytes;
  while (true) {
    const size_t dot = rest.find('.');
    const std::string_view part = rest.substr(0, dot);
    const bool number = !part.empty() && part.size() < 10 &&
                        part.find_first_not_of("0123456789") == std::string_view::npos;
    value = get_item(rt, value,
                     number ? Value::of(int64_t{std::stoi(std::string(part))}) : rt.literal(part));
    if (dot == std::string_view::npos || rt.failed()) return value;
    rest.remove_prefix(dot + 1);
  }
}

}  // namespace aictl::jinja
