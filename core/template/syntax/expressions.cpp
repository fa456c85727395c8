// Expressions, from the loosest binding operator down to literals.
#include "core/template/builtin/builtin.hpp"
#include "core/template/syntax/parser.hpp"

#include <array>
#include <charconv>

#include <fmt/format.h>

namespace aictl::jinja {

ExprPtr Parser::expression(bool with_condition) {
  const Nested nested(*this);
  if (error_) return make(ExprKind::kTuple, 0);
  return with_condition ? conditional() : parse_or();
}

// One expression, or several with commas. `simplified`: targets only; `stop`: a name that ends it.
ExprPtr Parser::tuple(bool with_condition, bool simplified, bool parenthesised,
                      std::string_view stop) {
  const Nested nested(*this);
  auto node = make(ExprKind::kTuple, current().line);
  bool is_tuple = false;
  while (!error_) {
    const TokenType type = current().type;
    if (type == TokenType::kVariableEnd || type == TokenType::kBlockEnd || at_operator(")") ||
        (!stop.empty() && at_name(stop)))
      break;
    adopt(*node, simplified ? primary() : expression(with_condition));
    if (!skip_operator(",")) break;
    is_tuple = true;
  }
  if (node->items.empty() && !is_tuple && !parenthesised) fail_unexpected("an expression");
  if (is_tuple || node->items.empty()) return node;
  return std::move(node->items[0]);
}

ExprPtr Parser::conditional() {
  ExprPtr node = parse_or();
  while (at_name("if")) {
    const int line = current().line;
    next();
    ++branches_;
    auto whole = make(ExprKind::kCondition, line);
    adopt(*whole, parse_or());
    adopt(*whole, std::move(node));
    if (skip_name("else")) adopt(*whole, expression());
    --branches_;
    node = std::move(whole);
  }
  return node;
}

ExprPtr Parser::parse_or() {
  ExprPtr node = parse_and();
  while (at_name("or")) {
    auto whole = make(ExprKind::kOr, current().line);
    next();
    adopt(*whole, std::move(node));
    adopt(*whole, parse_and());
    node = std::move(whole);
  }
  return node;
}

ExprPtr Parser::parse_and() {
  ExprPtr node = parse_not();
  while (at_name("and")) {
    auto whole = make(ExprKind::kAnd, current().line);
    next();
    adopt(*whole, std::move(node));
    adopt(*whole, parse_not());
    node = std::move(whole);
  }
  return node;
}

ExprPtr Parser::parse_not() {
  if (!at_name("not")) return comparison();
  const Nested nested(*this);
  auto node = make(ExprKind::kNot, current().line);
  next();
  adopt(*node, parse_not());
  return node;
}

ExprPtr Parser::comparison() {
  static constexpr std::array<std::string_view, 6> kSigns = {"==", "!=", "<", "<=", ">", ">="};
  ExprPtr node = sum();
  ExprPtr whole;
  while (!error_) {
    std::string op;
    for (std::string_view sign : kSigns)
      if (at_operator(sign)) op = sign;
    if (at_name("in")) op = "in";
    if (at_name("not") && ahead().type == TokenType::kName && ahead().text == "in") {
      op = "not in";
      next();
    }
    if (op.empty()) break;
    if (!whole) {
      whole = make(ExprKind::kCompare, current().line);
      adopt(*whole, std::move(node));
    }
    next();
    whole->ops.push_back(std::move(op));
    adopt(*whole, sum());
  }
  return whole ? std::move(whole) : std::move(node);
}

ExprPtr Parser::sum() {
  ExprPtr node = concatenation();
  while (at_operator("+") || at_operator("-")) {
    auto whole = make(ExprKind::kBinary, current().line);
    whole->name = current().text;
    next();
    adopt(*whole, std::move(node));
    adopt(*whole, concatenation());
    node = std::move(whole);
  }
  return node;
}

ExprPtr Parser::concatenation() {
  ExprPtr node = product();
  if (!at_operator("~")) return node;
  auto whole = make(ExprKind::kConcat, current().line);
  adopt(*whole, std::move(node));
  while (skip_operator("~")) adopt(*whole, product());
  return whole;
}

ExprPtr Parser::product() {
  ExprPtr node = power();
  while (at_operator("*") || at_operator("/") || at_operator("//") || at_operator("%")) {
    auto whole = make(ExprKind::kBinary, current().line);
    whole->name = current().text;
    next();
    adopt(*whole, std::move(node));
    adopt(*whole, power());
    node = std::move(whole);
  }
  return node;
}

ExprPtr Parser::power() {
  ExprPtr node = unary();
  while (at_operator("**")) {
    auto whole = make(ExprKind::kBinary, current().line);
    whole->name = "**";
    next();
    adopt(*whole, std::move(node));
    adopt(*whole, unary());
    node = std::move(whole);
  }
  return node;
}

ExprPtr Parser::unary(bool with_filter) {
  ExprPtr node;
  if (at_operator("-") || at_operator("+")) {
    const Nested nested(*this);
    node = make(at_operator("-") ? ExprKind::kNegate : ExprKind::kPlus, current().line);
    next();
    adopt(*node, unary(false));
  } else {
    node = primary();
  }
  node = postfix(std::move(node));
  return with_filter ? postfix_filters(std::move(node)) : std::move(node);
}

ExprPtr Parser::primary() {
  const Token token = current();
  auto node = make(ExprKind::kConst, token.line);
  if (token.type == TokenType::kName) {
    next();
    if (token.text == "true" || token.text == "True") {
      node->value = Value::of(true);
    } else if (token.text == "false" || token.text == "False") {
      node->value = Value::of(false);
    } else if (token.text == "none" || token.text == "None") {
      node->value = Value::none();
    } else {
      node->kind = ExprKind::kName;
      node->name = token.text;
      node->symbol = symbol(token.text);
    }
    return node;
  }
  if (token.type == TokenType::kString) {
    std::string text;
    for (; current().type == TokenType::kString; next()) text += current().text;
    node->value = literal(std::move(text));
    return node;
  }
  if (token.type == TokenType::kInteger || token.type == TokenType::kFloat) return number();
  if (at_operator("(")) {
    next();
    ExprPtr inner = tuple(true, false, true);
    expect_operator(")");
    return inner;
  }
  if (at_operator("[")) return list();
  if (at_operator("{")) return dict();
  fail_unexpected("an expression");
  return node;
}

ExprPtr Parser::number() {
  auto node = make(ExprKind::kConst, current().line);
  std::string_view text = current().text;
  std::errc bad{};
  if (current().type == TokenType::kFloat) {
    double real = 0;
    bad = std::from_chars(text.data(), text.data() + text.size(), real).ec;
    if (bad == std::errc::result_out_of_range) bad = {};  // Python reads these as inf and 0.0
    node->value = Value::of(real);
  } else {
    const std::string digits(text);
    int base = 10;
    size_t skip = 0;
    if (digits.size() > 2 && digits[0] == '0' && digits[1] > '9') {
      base = (digits[1] | 0x20) == 'x' ? 16 : (digits[1] | 0x20) == 'o' ? 8 : 2;
      skip = 2;
    }
    std::string plain = digits.substr(skip);
    std::erase(plain, '_');
    int64_t integer = 0;
    const auto read = std::from_chars(plain.data(), plain.data() + plain.size(), integer, base);
    bad = read.ec;
    if (read.ptr != plain.data() + plain.size() && bad == std::errc{})
      bad = std::errc::invalid_argument;
    node->value = Value::of(integer);
  }
  if (bad != std::errc{}) fail(fmt::format("the number {} is not understood", text.substr(0, 40)));
  next();
  return node;
}

ExprPtr Parser::list() {
  auto node = make(ExprKind::kList, current().line);
  next();
  while (!at_operator("]") && !error_) {
    if (!node->items.empty()) expect_operator(",");
    if (at_operator("]")) break;
    adopt(*node, expression());
  }
  expect_operator("]");
  return node;
}

ExprPtr Parser::dict() {
  auto node = make(ExprKind::kDict, current().line);
  next();
  while (!at_operator("}") && !error_) {
    if (!node->items.empty()) expect_operator(",");
    if (at_operator("}")) break;
    adopt(*node, expression());
    expect_operator(":");
    adopt(*node, expression());
  }
  expect_operator("}");
  return node;
}

ExprPtr Parser::postfix(ExprPtr node) {
  while (!error_) {
    if (at_operator(".") || at_operator("[")) {
      node = subscript(std::move(node));
    } else if (at_operator("(")) {
      auto call = make(ExprKind::kCall, current().line);
      adopt(*call, std::move(node));
      call_arguments(*call);
      node = std::move(call);
    } else {
      break;
    }
  }
  return node;
}

ExprPtr Parser::subscript(ExprPtr node) {
  const int line = current().line;
  if (at_operator("[")) return subscript_in_brackets(std::move(node));
  next();
  if (current().type == TokenType::kInteger) {
    auto whole = make(ExprKind::kItem, line);
    adopt(*whole, std::move(node));
    adopt(*whole, number());
    return whole;
  }
  auto whole = make(ExprKind::kAttribute, line);
  whole->name = expect_name();
  whole->dict_method = find_method(Kind::kDict, whole->name);
  whole->text_method = find_method(Kind::kText, whole->name);
  adopt(*whole, std::move(node));
  return whole;
}

ExprPtr Parser::subscript_in_brackets(ExprPtr node) {
  auto whole = make(ExprKind::kItem, current().line);
  next();
  adopt(*whole, std::move(node));
  auto part = [&]() -> ExprPtr {
    if (at_operator(":") || at_operator("]") || at_operator(",")) return nullptr;
    return expression();
  };
  ExprPtr first = part();
  if (at_operator(":")) {
    whole->kind = ExprKind::kSlice;
    adopt(*whole, std::move(first));
    next();
    adopt(*whole, part());
    adopt(*whole, skip_operator(":") ? part() : nullptr);
  } else if (!first) {
    fail_unexpected("an expression");
  } else if (at_operator(",")) {
    auto several = make(ExprKind::kTuple, whole->line);
    adopt(*several, std::move(first));
    while (skip_operator(",") && !error_) adopt(*several, expression());
    adopt(*whole, std::move(several));
  } else {
    adopt(*whole, std::move(first));
  }
  expect_operator("]");
  return whole;
}

}  // namespace aictl::jinja
