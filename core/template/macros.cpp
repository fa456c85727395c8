// Calls of macros: parameters, defaults, varargs, kwargs and caller.
#include "core/template/interpreter.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace aictl::jinja {

Value Interpreter::call_macro(const Macro& macro, CallArguments arguments) {
  const int line = rt_.line;
  Scope* const outer = scope_;
  const Value outer_piped = piped_;
  scope_ = open_scope(macro.scope);
  Value text;
  if (bind_parameters(macro, arguments)) collect(macro.node->body, text);
  scope_ = outer;
  piped_ = outer_piped;
  if (!rt_.failed()) rt_.line = line;
  return text;
}

// Defines the macro's parameters in the present scope: given by place, given by name, else its
// default, which may use the parameters before it.
bool Interpreter::bind_parameters(const Macro& macro, CallArguments& arguments) {
  const Node& node = *macro.node;
  std::vector<bool> used(arguments.named.size());
  for (size_t i = 0; i < node.parameters.size() && !rt_.failed(); ++i) {
    const Parameter& parameter = node.parameters[i];
    const std::string& name = program_.symbols[static_cast<size_t>(parameter.symbol)];
    Value value;
    bool found = i < arguments.positional.size();
    if (found) value = arguments.positional[i];
    for (size_t k = 0; k < arguments.named.size() && !found; ++k) {
      if (arguments.named[k].first != name) continue;
      value = arguments.named[k].second;
      found = used[k] = true;
    }
    if (!found && parameter.fallback)
      value = evaluate(*parameter.fallback);
    else if (!found)
      value = rt_.undefined(fmt::format("parameter '{}' was not provided", name));
    define(parameter.symbol, value);
  }
  size_t kept = 0;
  for (size_t k = 0; k < arguments.named.size(); ++k)
    if (!used[k]) arguments.named[kept++] = arguments.named[k];
  arguments.named.resize(kept);
  bind_special(node, arguments, node.parameters.size());
  return !rt_.failed();
}

void Interpreter::bind_special(const Node& node, CallArguments& arguments, size_t taken) {
  auto caller = std::find_if(arguments.named.begin(), arguments.named.end(),
                             [](const auto& named) { return named.first == "caller"; });
  if (node.takes_caller) {
    Value value = rt_.undefined("No caller defined");
    if (caller != arguments.named.end()) {
      value = caller->second;
      arguments.named.erase(caller);
    }
    define(caller_symbol_, value);
  }
  if (node.takes_kwargs) {
    Dict* dict = rt_.dict();
    for (const auto& [name, value] : arguments.named) dict->set(rt_.literal(name), value);
    define(kwargs_symbol_, Value::of(Kind::kDict, dict));
  } else if (!arguments.named.empty()) {
    rt_.fail(fmt::format("macro '{}' takes no keyword argument '{}'", node.name,
                         arguments.named.front().first));
    return;
  }
  if (node.takes_varargs) {
    std::vector<Value> rest;
    for (size_t i = taken; i < arguments.positional.size(); ++i)
      rest.push_back(arguments.positional[i]);
    define(varargs_symbol_, rt_.sequence(Kind::kTuple, std::move(rest)));
  } else if (arguments.positional.size() > taken) {
    rt_.fail(fmt::format("macro '{}' takes not more than {} argument(s)", node.name, taken));
  }
}

}  // namespace aictl::jinja
