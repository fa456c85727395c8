// The functions a rule may call: CEL's own and those Kubernetes adds.
#pragma once

#include <span>
#include <string_view>

#include "core/manifest/cel/value.hpp"

namespace aictl::cel {

/// A row: `call` gets as many arguments as it says, the receiver of a method first, none of them an
/// error. Called as `name(a, b)`, as `a.name(b)`, or both.
struct Function {
  std::string_view name;
  int least = 1, most = 1;  // arguments, with the receiver
  bool as_method = true, as_function = false;
  Value (*call)(std::span<const Value> arguments, Store& store);
};

/// nullptr when there is none of that name and form.
const Function* find_function(std::string_view name, bool method);

}  // namespace aictl::cel
