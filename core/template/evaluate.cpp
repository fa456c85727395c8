// Expressions.
#include "core/template/interpreter.hpp"

#include "core/base/nearest.hpp"

#include <fmt/format.h>

namespace aictl::jinja {

Value Interpreter::evaluate(const Expr& node) {
  if (!rt_.spend()) return {};
  if (++depth_ > rt_.limits.max_depth)
    rt_.fail_too_large(fmt::format("nested deeper than {}", rt_.limits.max_depth));
  Value value = rt_.failed() ? Value{} : evaluate_node(node);
  --depth_;
  return value;
}

Value Interpreter::evaluate_node(const Expr& node) {
  rt_.line = node.line;
  switch (node.kind) {
    case ExprKind::kConst:
      return node.value;
    case ExprKind::kName:
      return lookup(node);
    case ExprKind::kList:
      return evaluate_items(node, Kind::kList);
    case ExprKind::kTuple:
      return evaluate_items(node, Kind::kTuple);
    case ExprKind::kDict:
      return evaluate_dict(node);
    case ExprKind::kNegate:
    case ExprKind::kPlus:
      return evaluate_unary(node);
    case ExprKind::kNot: {
      const bool inner = truth(rt_, evaluate(*node.items[0]));
      return Value::of(!inner);
    }
    case ExprKind::kBinary:
      return evaluate_binary(node);
    case ExprKind::kAnd:
    case ExprKind::kOr: {
      const Value left = evaluate(*node.items[0]);
      if (rt_.failed() || truth(rt_, left) == (node.kind == ExprKind::kOr)) return left;
      return evaluate(*node.items[1]);
    }
    case ExprKind::kCompare:
      return evaluate_compare(node);
    case ExprKind::kConcat:
      return evaluate_concat(node);
    case ExprKind::kCondition:
      return evaluate_condition(node);
    case ExprKind::kAttribute:
      return evaluate_attribute(node);
    case ExprKind::kItem:
      return evaluate_item(node);
    case ExprKind::kSlice:
      return evaluate_slice(node);
    case ExprKind::kCall: {
      const Value callee = evaluate(*node.items[0]);
      if (rt_.failed()) return {};
      CallArguments arguments = arguments_of(node.arguments);
      rt_.line = node.line;
      return rt_.failed() ? Value{} : call(callee, std::move(arguments));
    }
    case ExprKind::kFilter:
    case ExprKind::kTest:
      return evaluate_builtin(node);
    case ExprKind::kPiped:
      return piped_;
  }
  return {};
}

Value Interpreter::lookup(const Expr& node) {
  for (Scope* scope = scope_; scope != nullptr; scope = scope->parent)
    for (const auto& [name, value] : scope->names)
      if (name == node.symbol) return value;
  const Value& global = globals_[static_cast<size_t>(node.symbol)];
  if (!global.is_undefined()) return global;
  return rt_.undefined(fmt::format("'{}' is undefined", node.name));
}

Value Interpreter::evaluate_items(const Expr& node, Kind kind) {
  std::vector<Value> items;
  items.reserve(node.items.size());
  for (const ExprPtr& item : node.items) items.push_back(evaluate(*item));
  return rt_.sequence(kind, std::move(items));
}

Value Interpreter::evaluate_dict(const Expr& node) {
  Dict* dict = rt_.dict();
  for (size_t i = 0; i + 1 < node.items.size() && !rt_.failed(); i += 2) {
    const Value key = evaluate(*node.items[i]);
    const Value value = evaluate(*node.items[i + 1]);
    if (!hashable(key)) return rt_.fail(fmt::format("unhashable type: '{}'", type_name(key)));
    if (!rt_.failed()) dict->set(key, value);
  }
  return Value::of(Kind::kDict, dict);
}

Value Interpreter::evaluate_unary(const Expr& node) {
  const Value value = evaluate(*node.items[0]);
  if (rt_.failed()) return {};
  const bool negate = node.kind == ExprKind::kNegate;
  if (value.is_undefined()) return rt_.fail_undefined(value);
  if (!value.is_number())
    return rt_.fail(
        fmt::format("bad operand type for unary {}: '{}'", negate ? '-' : '+', type_name(value)));
  if (value.is(Kind::kFloat)) return Value::of(negate ? -value.real : value.real, value.untrusted);
  if (!negate) return Value::of(value.as_integer(), value.untrusted);
  return arithmetic(rt_, "-", Value::of(int64_t{0}), value);
}

Value Interpreter::evaluate_binary(const Expr& node) {
  const Value left = evaluate(*node.items[0]);
  const Value right = evaluate(*node.items[1]);
  if (rt_.failed()) return {};
  if (node.name == "%" && left.is_text()) {
    if (right.is(Kind::kTuple)) return format_text(rt_, *left.text, right.sequence->items);
    return format_text(rt_, *left.text, {right}, right.is(Kind::kList) || right.is(Kind::kDict));
  }
  return arithmetic(rt_, node.name, left, right);
}

bool Interpreter::compare(const std::string& op, const Value& left, const Value& right) {
  if (op == "==") return equal(rt_, left, right);
  if (op == "!=") return !equal(rt_, left, right);
  if (op == "in") return contains(rt_, right, left);
  if (op == "not in") return !contains(rt_, right, left);
  if (op == "<") return less(rt_, left, right, op);
  if (op == ">") return less(rt_, right, left, op);
  const bool real = left.is(Kind::kFloat) || right.is(Kind::kFloat);
  if (real && left.is_number() && right.is_number())  // not a number is neither
    return op == "<=" ? left.as_real() <= right.as_real() : left.as_real() >= right.as_real();
  return op == "<=" ? !less(rt_, right, left, op) : !less(rt_, left, right, op);
}

Value Interpreter::evaluate_compare(const Expr& node) {
  Value left = evaluate(*node.items[0]);
  for (size_t i = 0; i < node.ops.size() && !rt_.failed(); ++i) {
    const Value right = evaluate(*node.items[i + 1]);
    if (rt_.failed() || !compare(node.ops[i], left, right)) return Value::of(false);
    left = right;
  }
  return Value::of(true);
}

Value Interpreter::evaluate_concat(const Expr& node) {
  const Value first = evaluate(*node.items[0]);
  TextBuilder rest;
  for (size_t i = 1; i < node.items.size(); ++i) {
    const Value value = evaluate(*node.items[i]);
    if (rt_.failed()) return {};
    print(rt_, rest, value);
    if (rest.size() > rt_.limits.max_output_bytes) break;  // refused below
  }
  const Value left = rt_.failed() ? Value{} : to_text(rt_, first);
  return rt_.failed() ? Value{} : rt_.concatenate(*left.text, rest);
}

Value Interpreter::evaluate_condition(const Expr& node) {
  const bool chosen = truth(rt_, evaluate(*node.items[0]));
  if (rt_.failed()) return {};
  if (chosen) return evaluate(*node.items[1]);
  if (node.items.size() > 2) return evaluate(*node.items[2]);
  return rt_.undefined(
      fmt::format("the inline if-expression on line {} evaluated to false and no "
                  "else section was defined",
                  node.line));
}

Value Interpreter::evaluate_attribute(const Expr& node) {
  const Value owner = evaluate(*node.items[0]);
  if (rt_.failed()) return {};
  const Builtin* method = nullptr;
  if (owner.is(Kind::kDict))
    method = node.dict_method;
  else if (owner.is_text())
    method = node.text_method;
  else if (owner.is_sequence() || owner.is(Kind::kLoop))
    method = find_method(owner.kind, node.name);
  if (method != nullptr) return rt_.method(method, owner);
  if (owner.is(Kind::kLoop)) return loop_attribute(owner, node.name);
  if (owner.is(Kind::kMacro) && node.name == "name") return rt_.literal(owner.macro->name);
  return get_attribute(rt_, owner, node.name);
}

Value Interpreter::loop_attribute(const Value& owner, std::string_view name) {
  const Loop& loop = *owner.loop;
  const auto index = static_cast<int64_t>(loop.index);
  const auto size = static_cast<int64_t>(loop.items->size());
  if (name == "index") return Value::of(index + 1);
  if (name == "index0") return Value::of(index);
  if (name == "revindex") return Value::of(size - index);
  if (name == "revindex0") return Value::of(size - index - 1);
  if (name == "first") return Value::of(index == 0);
  if (name == "last") return Value::of(index + 1 == size);
  if (name == "length") return Value::of(size);
  if (name == "depth") return Value::of(int64_t{1});  // counts recursive calls, of which none are
  if (name == "depth0") return Value::of(int64_t{0});
  if (name == "previtem") {
    if (index > 0 && index <= size) return (*loop.items)[loop.index - 1];
    return rt_.undefined("there is no previous item");
  }
  if (name == "nextitem") {
    if (index + 1 < size) return (*loop.items)[loop.index + 1];
    return rt_.undefined("there is no next item");
  }
  return rt_.missing_attribute(owner, name);
}

// An item first, and if there is none the attribute of that name.
Value Interpreter::evaluate_item(const Expr& node) {
  const Value owner = evaluate(*node.items[0]);
  const Value index = evaluate(*node.items[1]);
  if (rt_.failed()) return {};
  if (!index.is_text()) return get_item(rt_, owner, index);
  if (owner.is(Kind::kDict))
    if (const Value* found = owner.dict->find(index.text->bytes)) return *found;
  if (const Builtin* method = find_method(owner.kind, index.text->bytes))
    return rt_.method(method, owner);
  if (owner.is(Kind::kLoop)) return loop_attribute(owner, index.text->bytes);
  return get_attribute(rt_, owner, index.text->bytes);
}

Value Interpreter::evaluate_slice(const Expr& node) {
  std::array<Value, 4> parts;
  for (size_t i = 0; i < parts.size(); ++i)
    parts[i] = node.items[i] ? evaluate(*node.items[i]) : Value::none();
  if (rt_.failed()) return {};
  return get_slice(rt_, parts[0], parts[1], parts[2], parts[3]);
}

Value Interpreter::evaluate_builtin(const Expr& node) {
  if (node.builtin == nullptr)
    return rt_.fail(fmt::format("no {} named '{}'",
                                node.kind == ExprKind::kFilter ? "filter" : "test", node.name));
  const Value self = evaluate(*node.items[0]);
  if (rt_.failed()) return {};
  CallArguments arguments = arguments_of(node.arguments);
  if (rt_.failed()) return {};
  rt_.line = node.line;
  return invoke(rt_, *node.builtin, self, arguments);
}

CallArguments Interpreter::arguments_of(const Arguments& arguments) {
  CallArguments given;
  given.positional.reserve(arguments.positional.size());
  for (const ExprPtr& argument : arguments.positional)
    given.positional.push_back(evaluate(*argument));
  for (const auto& [name, argument] : arguments.named)
    given.named.emplace_back(name, evaluate(*argument));
  if (arguments.star) {
    const Value more = evaluate(*arguments.star);
    std::vector<Value> storage;
    const auto* items = rt_.failed() ? nullptr : items_of(rt_, more, storage);
    if (items != nullptr && rt_.spend(items->size()))
      given.positional.insert(given.positional.end(), items->begin(), items->end());
  }
  if (arguments.double_star) {
    const Value more = evaluate(*arguments.double_star);
    if (!rt_.failed() && !more.is(Kind::kDict)) rt_.fail("argument after ** must be a mapping");
    if (rt_.failed() || !rt_.spend(more.dict->entries.size())) return given;
    for (const auto& [key, value] : more.dict->entries) {
      if (!key.is_text()) {
        rt_.fail("keywords must be strings");
        return given;
      }
      given.named.emplace_back(key.text->bytes, value);
    }
  }
  return given;
}

Value Interpreter::call(const Value& callee, CallArguments arguments) {
  switch (callee.kind) {
    case Kind::kUndefined:
      return rt_.fail_undefined(callee);
    case Kind::kFunction:
      return invoke(rt_, *callee.builtin, {}, arguments);
    case Kind::kMethod:
      return invoke(rt_, *callee.method->builtin, callee.method->self, arguments);
    case Kind::kMacro:
      return call_macro(*callee.macro, std::move(arguments));
    default:
      return rt_.fail(fmt::format("'{}' object is not callable", type_name(callee)));
  }
}

}  // namespace aictl::jinja
