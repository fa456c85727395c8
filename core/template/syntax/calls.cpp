// The parts of expressions that call something: filters, tests, arguments.
#include "core/template/syntax/parser.hpp"

#include "core/template/builtin/builtin.hpp"

#include <fmt/format.h>

namespace aictl::jinja {

ExprPtr Parser::postfix_filters(ExprPtr node) {
  while (!error_) {
    if (at_operator("|")) {
      node = filters(std::move(node), false);
    } else if (at_name("is")) {
      node = test(std::move(node));
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

std::string Parser::dotted_name() {
  std::string name = expect_name();
  while (skip_operator(".")) name += "." + expect_name();
  return name;
}

ExprPtr Parser::filters(ExprPtr node, bool first_without_bar) {
  while (!error_ && (first_without_bar || at_operator("|"))) {
    if (!first_without_bar) next();
    first_without_bar = false;
    auto whole = make(ExprKind::kFilter, current().line);
    whole->name = dotted_name();
    whole->builtin = find_filter(whole->name);
    if (whole->builtin == nullptr && branches_ == 0)
      fail(fmt::format("no filter named '{}'", whole->name));
    adopt(*whole, std::move(node));
    if (at_operator("(")) call_arguments(*whole);
    node = std::move(whole);
  }
  return node;
}

ExprPtr Parser::test(ExprPtr node) {
  auto whole = make(ExprKind::kTest, current().line);
  next();
  const bool negated = skip_name("not");
  whole->name = dotted_name();
  whole->builtin = find_test(whole->name);
  if (whole->builtin == nullptr && branches_ == 0)
    fail(fmt::format("no test named '{}'", whole->name));
  adopt(*whole, std::move(node));
  const TokenType type = current().type;
  if (at_operator("(")) {
    call_arguments(*whole);
  } else if (type == TokenType::kString || type == TokenType::kInteger ||
             type == TokenType::kFloat || at_operator("[") || at_operator("{") ||
             (type == TokenType::kName && !at_name("else") && !at_name("or") && !at_name("and"))) {
    if (at_name("is")) fail("tests cannot be chained with is");
    ExprPtr argument = postfix(primary());
    watch_depth(*whole, argument.get());
    whole->arguments.positional.push_back(std::move(argument));
  }
  if (!negated) return whole;
  auto inverse = make(ExprKind::kNot, whole->line);
  adopt(*inverse, std::move(whole));
  return inverse;
}

// The arguments in parentheses at the present place, which become `call`'s.
void Parser::call_arguments(Expr& call) {
  Arguments& arguments = call.arguments;
  const Nested nested(*this);
  expect_operator("(");
  bool first = true;
  while (!at_operator(")") && !error_) {
    if (!first) {
      expect_operator(",");
      if (at_operator(")")) break;
    }
    first = false;
    std::string name;
    const bool double_star = skip_operator("**");
    const bool star = !double_star && skip_operator("*");
    if (!double_star && !star && current().type == TokenType::kName &&
        ahead().type == TokenType::kOperator && ahead().text == "=") {
      name = expect_name();
      next();
    }
    ExprPtr value = expression();
    watch_depth(call, value.get());
    if (double_star)
      arguments.double_star = std::move(value);
    else if (star)
      arguments.star = std::move(value);
    else if (!name.empty())
      arguments.named.emplace_back(std::move(name), std::move(value));
    else if (!arguments.named.empty() || arguments.double_star)
      fail("a positional argument follows a named one");
    else
      arguments.positional.push_back(std::move(value));
  }
  expect_operator(")");
}

}  // namespace aictl::jinja
