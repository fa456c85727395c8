// The value of an expression. Errors are values too: `&&`, `||` and the quantifiers pass over one
// where the other side decides.
#include <fmt/format.h>

#include "core/manifest/cel/cel.hpp"
#include "core/manifest/cel/syntax.hpp"

namespace aictl::cel {
namespace {

struct Binding {
  std::string_view name;
  Value value;
};

class Evaluation {
 public:
  Evaluation(const Json& self, int steps) : steps_(steps) {
    bindings_.push_back({"self", value_of(self)});
  }

  bool exhausted() const { return steps_ < 0; }

  Value of(const Node& node) {
    if (--steps_ < 0) return store_.error("it takes too many steps");
    switch (node.op) {
      case Op::kLiteral:
        return literal(node.literal);
      case Op::kVariable:
        return variable(node.text);
      case Op::kSelect:
      case Op::kHas:
        return select(node);
      case Op::kIndex:
        return index(of(node.children[0]), of(node.children[1]));
      case Op::kCall:
        return call(node);
      case Op::kList:
      case Op::kMap:
        return collection(node);
      case Op::kAnd:
        return junction(node, false);
      case Op::kOr:
        return junction(node, true);
      case Op::kConditional: {
        const Value condition = of(node.children[0]);
        if (condition.failed()) return condition;
        if (!condition.is(Type::kBool)) return mismatch("?:", condition);
        return of(node.children[condition.boolean ? 1 : 2]);
      }
      case Op::kNot:
      case Op::kNegate:
        return sign(node.op, of(node.children[0]));
      case Op::kAll:
      case Op::kExists:
      case Op::kExistsOne:
      case Op::kFilter:
      case Op::kTransform:
        return macro(node);
      default:
        return binary(node.op, of(node.children[0]), of(node.children[1]));
    }
  }

 private:
  Value mismatch(std::string_view what, const Value& value) {
    return store_.error(fmt::format("{} does not take a {}", what, type_name(value.type)));
  }

  static Value literal(const Literal& literal) {
    if (const auto* truth = std::get_if<bool>(&literal)) return Value::boolean_of(*truth);
    if (const auto* whole = std::get_if<int64_t>(&literal)) return Value::integer_of(*whole);
    if (const auto* real = std::get_if<double>(&literal)) return Value::real_of(*real);
    if (const auto* text = std::get_if<std::string>(&literal)) return Value::text_of(*text);
    return {};
  }

  Value variable(std::string_view name) {
    for (auto bound = bindings_.rbegin(); bound != bindings_.rend(); ++bound)
      if (bound->name == name) return bound->value;
    return store_.error(fmt::format("undeclared name: {}", name));
  }

  Value select(const Node& node) {
    const Value of_what = of(node.children[0]);
    if (of_what.failed()) return of_what;
    if (!of_what.is(Type::kMap)) return mismatch("a field", of_what);
    bool found = false;
    const Value entry = entry_of(of_what, Value::text_of(node.text), store_, found);
    return node.op == Op::kHas ? Value::boolean_of(found) : entry;
  }

  Value index(const Value& of_what, const Value& at) {
    if (of_what.failed()) return of_what;
    if (at.failed()) return at;
    bool found = false;
    if (of_what.is(Type::kMap)) return entry_of(of_what, at, store_, found);
    if (!of_what.is(Type::kList) || !at.is(Type::kInt)) return mismatch("[]", of_what);
    if (at.integer < 0 || static_cast<size_t>(at.integer) >= size_of(of_what))
      return store_.error(fmt::format("index {} out of {}", at.integer, size_of(of_what)));
    return item_of(of_what, static_cast<size_t>(at.integer));
  }

  Value call(const Node& node) {
    std::vector<Value> arguments;
    for (const Node& child : node.children) {
      arguments.push_back(of(child));
      if (arguments.back().failed()) return arguments.back();
    }
    return node.function->call(arguments, store_);
  }

  Value collection(const Node& node) {
    std::vector<Value> items;
    for (const Node& child : node.children) {
      items.push_back(of(child));
      if (items.back().failed()) return items.back();
    }
    return store_.list(std::move(items), node.op == Op::kMap ? Type::kMap : Type::kList);
  }

  // `decisive` decides whatever the other side is, an error included.
  Value junction(const Node& node, bool decisive) {
    const Value left = of(node.children[0]);
    if (left.is(Type::kBool) && left.boolean == decisive) return left;
    const Value right = of(node.children[1]);
    if (right.is(Type::kBool) && right.boolean == decisive) return right;
    for (const Value* side : {&left, &right}) {
      if (side->failed()) return *side;
      if (!side->is(Type::kBool)) return mismatch(decisive ? "||" : "&&", *side);
    }
    return right;
  }

  Value sign(Op op, const Value& value) {
    if (value.failed()) return value;
    if (op == Op::kNot && value.is(Type::kBool)) return Value::boolean_of(!value.boolean);
    if (op == Op::kNegate && value.is(Type::kDouble)) return Value::real_of(-value.real);
    if (op == Op::kNegate && value.is(Type::kInt)) {
      int64_t negated = 0;
      if (__builtin_sub_overflow(int64_t{0}, value.integer, &negated))
        return store_.error("integer overflow");
      return Value::integer_of(negated);
    }
    return mismatch(op == Op::kNot ? "!" : "-", value);
  }

  Value binary(Op op, const Value& left, const Value& right) {
    if (left.failed()) return left;
    if (right.failed()) return right;
    switch (op) {
      case Op::kEqual:
        return Value::boolean_of(equal(left, right));
      case Op::kNotEqual:
        return Value::boolean_of(!equal(left, right));
      case Op::kIn:
        return contained(left, right);
      case Op::kLess:
      case Op::kLessEqual:
      case Op::kGreater:
      case Op::kGreaterEqual:
        return ordered(op, left, right);
      default:
        return arithmetic(op, left, right);
    }
  }

  Value contained(const Value& item, const Value& in) {
    if (in.is(Type::kMap)) {
      bool found = false;
      entry_of(in, item, store_, found);
      return Value::boolean_of(found);
    }
    if (!in.is(Type::kList)) return mismatch("in", in);
    steps_ -= static_cast<int>(size_of(in));
    for (size_t i = 0; i < size_of(in); ++i)
      if (equal(item, item_of(in, i))) return Value::boolean_of(true);
    return Value::boolean_of(false);
  }

  template <typename T>
  static Value compared(Op op, const T& left, const T& right) {
    switch (op) {
      case Op::kLess:
        return Value::boolean_of(left < right);
      case Op::kLessEqual:
        return Value::boolean_of(left <= right);
      case Op::kGreater:
        return Value::boolean_of(left > right);
      default:
        return Value::boolean_of(left >= right);
    }
  }
  Value ordered(Op op, const Value& left, const Value& right) {
    if (left.is_number() && right.is_number())
      return left.is(Type::kInt) && right.is(Type::kInt)
                 ? compared(op, left.integer, right.integer)
                 : compared(op, left.number(), right.number());
    if (left.type != right.type) return mismatch("a comparison", right);
    if (left.is(Type::kString)) return compared(op, left.text, right.text);
    if (left.is(Type::kDuration)) return compared(op, left.integer, right.integer);
    if (left.is(Type::kBool)) return compared(op, left.boolean, right.boolean);
    return mismatch("a comparison", left);
  }

  Value arithmetic(Op op, const Value& left, const Value& right) {
    if (left.type != right.type) return mismatch("arithmetic", right);
    if (op == Op::kAdd && left.is(Type::kString))
      return Value::text_of(store_.keep(std::string(left.text).append(right.text)));
    if (op == Op::kAdd && left.is(Type::kList)) return joined(left, right);
    if (left.is(Type::kDouble)) return real_arithmetic(op, left.real, right.real);
    const bool duration = left.is(Type::kDuration) && (op == Op::kAdd || op == Op::kSubtract);
    if (!left.is(Type::kInt) && !duration) return mismatch("arithmetic", left);
    return whole_arithmetic(op, left, right);
  }
  Value joined(const Value& left, const Value& right) {
    std::vector<Value> items;
    for (const Value* side : {&left, &right})
      for (size_t i = 0; i < size_of(*side); ++i) items.push_back(item_of(*side, i));
    steps_ -= static_cast<int>(items.size());
    return store_.list(std::move(items));
  }
  Value real_arithmetic(Op op, double left, double right) {
    switch (op) {
      case Op::kAdd:
        return Value::real_of(left + right);
      case Op::kSubtract:
        return Value::real_of(left - right);
      case Op::kMultiply:
        return Value::real_of(left * right);
      case Op::kDivide:
        return Value::real_of(left / right);
      default:
        return store_.error("% does not take a double");
    }
  }
  Value whole_arithmetic(Op op, const Value& left, const Value& right) {
    int64_t result = 0;
    bool failed = false;
    switch (op) {
      case Op::kAdd:
        failed = __builtin_add_overflow(left.integer, right.integer, &result);
        break;
      case Op::kSubtract:
        failed = __builtin_sub_overflow(left.integer, right.integer, &result);
        break;
      case Op::kMultiply:
        failed = __builtin_mul_overflow(left.integer, right.integer, &result);
        break;
      default:
        failed = right.integer == 0 ||
                 (left.integer == std::numeric_limits<int64_t>::min() && right.integer == -1);
        if (failed) break;
        result = op == Op::kDivide ? left.integer / right.integer : left.integer % right.integer;
    }
    if (failed) return store_.error("integer overflow or division by zero");
    return Value::integer_of(result, left.type);
  }

  // all, exists, exists_one, filter, map: `node.text` bound to each item, or key of a map, in turn.
  Value macro(const Node& node) {
    const Value range = of(node.children[0]);
    if (range.failed()) return range;
    if (!range.is(Type::kList) && !range.is(Type::kMap)) return mismatch("a quantifier", range);
    std::vector<Value> kept;
    Value trouble;
    const bool decisive = node.op == Op::kExists;
    const bool quantifier = node.op == Op::kExists || node.op == Op::kAll;
    for (size_t i = 0; i < size_of(range); ++i) {
      const Value item = item_of(range, i);
      bindings_.push_back({node.text, item});
      Value result = of(node.children[1]);
      if (node.op == Op::kTransform && node.children.size() == 2)
        result = result.failed() ? result : (kept.push_back(result), Value::boolean_of(false));
      else if (node.op == Op::kTransform && result.is(Type::kBool) && result.boolean)
        kept.push_back(of(node.children[2]));
      bindings_.pop_back();
      if (!result.failed() && !result.is(Type::kBool)) result = mismatch("a quantifier", result);
      if (result.failed() && !quantifier) return result;
      if (!kept.empty() && kept.back().failed()) return kept.back();
      if (result.failed()) trouble = result;
      if (quantifier && result.is(Type::kBool) && result.boolean == decisive) return result;
      if (!quantifier && node.op != Op::kTransform && result.boolean) kept.push_back(item);
    }
    if (trouble.failed()) return trouble;
    if (quantifier) return Value::boolean_of(!decisive);
    if (node.op == Op::kExistsOne) return Value::boolean_of(kept.size() == 1);
    return store_.list(std::move(kept));
  }

  Store store_;
  std::vector<Binding> bindings_;
  int steps_;
};

bool mentioned(const Node& node, std::string_view identifier) {
  if (node.op == Op::kVariable && node.text == identifier) return true;
  for (const Node& child : node.children)
    if (mentioned(child, identifier)) return true;
  return false;
}

}  // namespace

Result<Rule> Rule::parse(std::string_view expression) {
  auto root = parse_expression(expression);
  if (!root) return std::move(root).error();
  return Rule(std::make_shared<const Node>(std::move(*root)));
}

bool Rule::mentions(std::string_view identifier) const { return mentioned(*root_, identifier); }

Result<bool> Rule::holds(const Json& self, const Limits& limits) const {
  Evaluation evaluation(self, limits.steps);
  const Value value = evaluation.of(*root_);
  if (evaluation.exhausted())
    return Error{ErrorCode::kTooLarge, fmt::format("over {} steps", limits.steps), ""};
  if (value.is(Type::kBool)) return value.boolean;
  return Error{ErrorCode::kDataRefused,
               value.failed() ? std::string(value.text)
                              : fmt::format("it gives a {}, not a bool", type_name(value.type)),
               ""};
}

}  // namespace aictl::cel
