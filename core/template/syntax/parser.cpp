// Statements, and what both halves of the parser stand on: tokens, depth, nodes.
#include "core/template/syntax/parser.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace aictl::jinja {
namespace {

constexpr int kMaxNesting = 200;    // of expressions and blocks inside each other, while parsing
constexpr int kMaxTreeDepth = 200;  // of one expression; a long chain of operators is deep too

constexpr std::array<std::string_view, 8> kRefused = {"include", "import",     "from",  "extends",
                                                      "block",   "autoescape", "trans", "do"};

std::string describe(const Token& token) {
  switch (token.type) {
    case TokenType::kEnd:
      return "end of template";
    case TokenType::kBlockEnd:
      return "end of statement block";
    case TokenType::kVariableEnd:
      return "end of print statement";
    case TokenType::kData:
      return "template data";
    default:
      return fmt::format("'{}'", token.text.substr(0, 60));
  }
}

}  // namespace

Parser::Parser(std::vector<Token> tokens, const Options& options)
    : tokens_(std::move(tokens)), program_(std::make_shared<Program>()) {
  program_->options = options;
  end_.line = tokens_.back().line;
}

Result<std::shared_ptr<const Program>> Parser::run() {
  Body body = body_until({});
  if (error_) return *error_;
  program_->body = std::move(body);
  return std::shared_ptr<const Program>(program_);
}

Parser::Nested::Nested(Parser& parser) : parser_(parser) {
  if (++parser_.depth_ > kMaxNesting)
    parser_.fail(fmt::format("the template is nested deeper than {}", kMaxNesting));
}

const Token& Parser::ahead(size_t count) const {
  return error_ || at_ + count >= tokens_.size() ? end_ : tokens_[at_ + count];
}

void Parser::next() {
  if (at_ + 1 < tokens_.size()) ++at_;
}

bool Parser::at_operator(std::string_view text) const {
  return current().type == TokenType::kOperator && current().text == text;
}

bool Parser::at_name(std::string_view text) const {
  return current().type == TokenType::kName && current().text == text;
}

bool Parser::skip_operator(std::string_view text) {
  const bool found = at_operator(text);
  if (found) next();
  return found;
}

bool Parser::skip_name(std::string_view text) {
  const bool found = at_name(text);
  if (found) next();
  return found;
}

void Parser::expect_operator(std::string_view text) {
  if (!skip_operator(text)) fail_unexpected(fmt::format("'{}'", text));
}

std::string Parser::expect_name() {
  if (current().type != TokenType::kName) {
    fail_unexpected("a name");
    return {};
  }
  std::string name = current().text;
  next();
  return name;
}

void Parser::expect_block_end() {
  if (current().type != TokenType::kBlockEnd) return fail_unexpected("end of statement block");
  next();
}

void Parser::fail(std::string message, ErrorCode code) {
  if (!error_) error_ = Error{code, fmt::format("line {}: {}", current().line, message), {}};
}

void Parser::fail_unexpected(std::string_view wanted) {
  fail(fmt::format("unexpected {}, expected {}", describe(current()), wanted));
}

ExprPtr Parser::make(ExprKind kind, int line) const {
  auto node = std::make_unique<Expr>();
  node->kind = kind;
  node->line = line;
  return node;
}

void Parser::watch_depth(Expr& parent, const Expr* child) {
  if (child == nullptr) return;
  parent.depth = std::max(parent.depth, child->depth + 1);
  if (parent.depth > kMaxTreeDepth)
    fail(fmt::format("the expression is nested deeper than {}", kMaxTreeDepth));
}

void Parser::adopt(Expr& parent, ExprPtr child) {
  watch_depth(parent, child.get());
  parent.items.push_back(std::move(child));
}

Value Parser::literal(std::string bytes) {
  const std::string& kept = program_->bytes.emplace_back(std::move(bytes));
  return Value::of(&program_->texts.emplace_back(Text{kept}));
}

int Parser::symbol(const std::string& name) {
  auto [found, added] = symbols_.emplace(name, static_cast<int>(program_->symbols.size()));
  if (added) program_->symbols.push_back(name);
  return found->second;
}

// Statements up to a tag that starts with one of `ends`; stands at that name then.
Body Parser::body_until(std::initializer_list<std::string_view> ends) {
  Body body;
  const Nested nested(*this);
  while (current().type != TokenType::kEnd) {
    const Token& token = current();
    if (token.type == TokenType::kData) {
      Node node(NodeKind::kText, token.line);
      node.value = literal(token.text);
      body.push_back(std::move(node));
      next();
    } else if (token.type == TokenType::kVariableBegin) {
      Node node(NodeKind::kOutput, token.line);
      next();
      node.expression = tuple();
      if (current().type != TokenType::kVariableEnd) fail_unexpected("end of print statement");
      next();
      body.push_back(std::move(node));
    } else {
      next();  // {%
      if (current().type != TokenType::kName) {
        fail_unexpected("a tag name");
        break;
      }
      if (std::find(ends.begin(), ends.end(), current().text) != ends.end()) return body;
      statement(body);
    }
  }
  if (ends.size() > 0) fail_unexpected(fmt::format("'{}'", *(ends.end() - 1)));
  return body;
}

void Parser::statement(Body& out) {
  const std::string name = current().text;
  if (std::find(kRefused.begin(), kRefused.end(), name) != kRefused.end())
    return fail(fmt::format("the tag '{}' is not supported", name), ErrorCode::kUnsupported);
  if (name == "if") return parse_if(out);
  if (name == "for") return parse_for(out);
  if (name == "set") return parse_set(out);
  if (name == "macro") return parse_macro(out);
  if (name == "call") return parse_call_block(out);
  if (name == "filter") return parse_filter_block(out);
  if (name == "with") return parse_with(out);
  if (name == "break") return parse_loop_control(out, NodeKind::kBreak);
  if (name == "continue") return parse_loop_control(out, NodeKind::kContinue);
  if (name == "generation") return parse_generation(out);
  if (name.starts_with("end") || name == "else" || name == "elif")
    return fail(fmt::format("unexpected tag '{}'", name));
  fail(fmt::format("unknown tag '{}'", name));
}

void Parser::end_tag(std::string_view name) {
  skip_name(name);
  expect_block_end();
}

void Parser::parse_if(Body& out) {
  Node node(NodeKind::kIf, current().line);
  ++branches_;
  do {
    next();  // if, elif
    Branch branch;
    branch.condition = tuple(false);
    expect_block_end();
    branch.body = body_until({"elif", "else", "endif"});
    node.branches.push_back(std::move(branch));
  } while (at_name("elif"));
  if (skip_name("else")) {
    expect_block_end();
    Branch branch;
    branch.body = body_until({"endif"});
    node.branches.push_back(std::move(branch));
  }
  --branches_;
  end_tag("endif");
  out.push_back(std::move(node));
}

void Parser::parse_for(Body& out) {
  Node node(NodeKind::kFor, current().line);
  next();
  node.target = tuple(true, true, false, "in");
  if (!error_) check_target(*node.target);
  if (!skip_name("in")) fail_unexpected("'in'");
  node.expression = tuple(false, false, false, "recursive");
  if (skip_name("if")) node.condition = expression();
  if (at_name("recursive")) fail("recursive loops are not supported", ErrorCode::kUnsupported);
  expect_block_end();
  ++loops_;
  node.body = body_until({"else", "endfor"});
  --loops_;
  if (skip_name("else")) {
    expect_block_end();
    node.otherwise = body_until({"endfor"});
  }
  end_tag("endfor");
  out.push_back(std::move(node));
}

void Parser::parse_set(Body& out) {
  Node node(NodeKind::kSet, current().line);
  next();
  node.target = target(true);
  if (skip_operator("=")) {
    node.expression = tuple();
    expect_block_end();
  } else {
    node.kind = NodeKind::kSetBlock;
    node.expression = filters(make(ExprKind::kPiped, node.line), false);
    expect_block_end();
    node.body = body_until({"endset"});
    end_tag("endset");
  }
  out.push_back(std::move(node));
}

// Where a value goes: a name, names in a tuple, or an attribute of a namespace.
ExprPtr Parser::target(bool with_namespace) {
  if (with_namespace && ahead().type == TokenType::kOperator && ahead().text == ".") {
    auto node = make(ExprKind::kAttribute, current().line);
    auto owner = make(ExprKind::kName, current().line);
    owner->name = expect_name();
    owner->symbol = symbol(owner->name);
    next();
    node->name = expect_name();
    adopt(*node, std::move(owner));
    return node;
  }
  ExprPtr node = tuple(true, true);
  if (!error_) check_target(*node);
  return node;
}

void Parser::check_target(const Expr& target) {
  if (target.kind == ExprKind::kTuple || target.kind == ExprKind::kList) {
    for (const ExprPtr& item : target.items) check_target(*item);
  } else if (target.kind != ExprKind::kName) {
    fail("cannot assign to this expression");
  }
}

void Parser::signature(Node& node) {
  expect_operator("(");
  while (!at_operator(")") && !error_) {
    if (!node.parameters.empty()) expect_operator(",");
    Parameter parameter{symbol(expect_name()), nullptr};
    if (skip_operator("="))
      parameter.fallback = expression();
    else if (!node.parameters.empty() && node.parameters.back().fallback)
      fail("non-default argument follows default argument");
    node.parameters.push_back(std::move(parameter));
  }
  expect_operator(")");
}

void Parser::parse_macro(Body& out) {
  Node node(NodeKind::kMacro, current().line);
  next();
  node.name = expect_name();
  node.symbol = symbol(node.name);
  signature(node);
  expect_block_end();
  const int loops = std::exchange(loops_, 0);
  const size_t start = at_;
  node.body = body_until({"endmacro"});
  for (size_t i = start; i < at_; ++i) {
    if (tokens_[i].type != TokenType::kName) continue;
    node.takes_varargs |= tokens_[i].text == "varargs";
    node.takes_kwargs |= tokens_[i].text == "kwargs";
    node.takes_caller |= tokens_[i].text == "caller";
  }
  loops_ = loops;
  end_tag("endmacro");
  out.push_back(std::move(node));
}

void Parser::parse_call_block(Body& out) {
  Node node(NodeKind::kCallBlock, current().line);
  next();
  node.name = "caller";
  if (at_operator("(")) signature(node);
  node.expression = expression();
  if (!error_ && node.expression->kind != ExprKind::kCall) fail("expected a call");
  expect_block_end();
  const int loops = std::exchange(loops_, 0);
  node.body = body_until({"endcall"});
  loops_ = loops;
  end_tag("endcall");
  out.push_back(std::move(node));
}

void Parser::parse_filter_block(Body& out) {
  Node node(NodeKind::kFilterBlock, current().line);
  next();
  node.expression = filters(make(ExprKind::kPiped, node.line), true);
  expect_block_end();
  node.body = body_until({"endfilter"});
  end_tag("endfilter");
  out.push_back(std::move(node));
}

void Parser::parse_with(Body& out) {
  Node node(NodeKind::kWith, current().line);
  next();
  while (current().type != TokenType::kBlockEnd && !error_) {
    if (!node.assignments.empty()) expect_operator(",");
    ExprPtr name = target(false);
    expect_operator("=");
    node.assignments.emplace_back(std::move(name), expression());
  }
  expect_block_end();
  node.body = body_until({"endwith"});
  end_tag("endwith");
  out.push_back(std::move(node));
}

void Parser::parse_loop_control(Body& out, NodeKind kind) {
  if (loops_ == 0) fail(fmt::format("'{}' outside of a loop", current().text));
  out.push_back(Node(kind, current().line));
  next();
  expect_block_end();
}

// {% generation %} marks what a model wrote, for training; here it is a scope and nothing else.
void Parser::parse_generation(Body& out) {
  Node node(NodeKind::kWith, current().line);
  next();
  expect_block_end();
  node.body = body_until({"endgeneration"});
  end_tag("endgeneration");
  out.push_back(std::move(node));
}

}  // namespace aictl::jinja
