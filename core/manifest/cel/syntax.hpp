// The syntax tree of an expression, and the parser that makes it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/result.hpp"
#include "core/manifest/cel/functions.hpp"

namespace aictl::cel {

enum class Op : uint8_t {
  kLiteral,
  kVariable,  // text
  kSelect,    // first.text
  kHas,       // has(first.text)
  kIndex,     // first[second]
  kCall,      // function(children...), the receiver first
  kList,
  kMap,  // children: key, value, key, value, ...
  kAnd,
  kOr,
  kNot,
  kNegate,
  kConditional,  // first ? second : third
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kAll,  // first.all(text, second), and so the next four
  kExists,
  kExistsOne,
  kFilter,
  kTransform,  // .map(x, e), or .map(x, condition, e)
};

/// null, bool, int, double, string.
using Literal = std::variant<std::monostate, bool, int64_t, double, std::string>;

struct Node {
  Op op = Op::kLiteral;
  std::string text;  // a field's or a variable's name
  Literal literal;
  const Function* function = nullptr;  // kCall
  std::vector<Node> children;
};

/// Errors: as Rule::parse.
Result<Node> parse_expression(std::string_view text);

}  // namespace aictl::cel
