// Parser: tokens to a tree, by recursive descent with a limit on depth. After the first error the
// present token reads as the end, so every loop stops.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/result.hpp"
#include "core/template/syntax/ast.hpp"
#include "core/template/syntax/lexer.hpp"

namespace aictl::jinja {

class Parser {
 public:
  Parser(std::vector<Token> tokens, const Options& options);
  Result<std::shared_ptr<const Program>> run();

 private:
  // Statements, parser.cpp.
  Body body_until(std::initializer_list<std::string_view> ends);
  void statement(Body& out);
  void parse_if(Body& out);
  void parse_for(Body& out);
  void parse_set(Body& out);
  void parse_macro(Body& out);
  void parse_call_block(Body& out);
  void parse_filter_block(Body& out);
  void parse_with(Body& out);
  void parse_loop_control(Body& out, NodeKind kind);
  void parse_generation(Body& out);
  void signature(Node& node);
  ExprPtr target(bool with_namespace);
  void check_target(const Expr& target);
  void end_tag(std::string_view name);

  // Expressions, expressions.cpp and calls.cpp.
  ExprPtr expression(bool with_condition = true);
  ExprPtr tuple(bool with_condition = true, bool simplified = false, bool parenthesised = false,
                std::string_view stop = {});
  ExprPtr conditional();
  ExprPtr parse_or();
  ExprPtr parse_and();
  ExprPtr parse_not();
  ExprPtr comparison();
  ExprPtr sum();
  ExprPtr concatenation();
  ExprPtr product();
  ExprPtr power();
  ExprPtr unary(bool with_filter = true);
  ExprPtr primary();
  ExprPtr number();
  ExprPtr list();
  ExprPtr dict();
  ExprPtr postfix(ExprPtr node);
  ExprPtr subscript(ExprPtr node);
  ExprPtr subscript_in_brackets(ExprPtr node);
  ExprPtr postfix_filters(ExprPtr node);
  ExprPtr filters(ExprPtr node, bool first_without_bar);
  ExprPtr test(ExprPtr node);
  void call_arguments(Expr& call);
  std::string dotted_name();

  // Tokens.
  const Token& current() const { return error_ ? end_ : tokens_[at_]; }
  const Token& ahead(size_t count = 1) const;
  void next();
  bool at_operator(std::string_view text) const;
  bool at_name(std::string_view text) const;
  bool skip_operator(std::string_view text);
  bool skip_name(std::string_view text);
  void expect_operator(std::string_view text);
  std::string expect_name();
  void expect_block_end();
  void fail(std::string message, ErrorCode code = ErrorCode::kDataRefused);
  void fail_unexpected(std::string_view wanted);

  // Nodes.
  ExprPtr make(ExprKind kind, int line) const;
  void adopt(Expr& parent, ExprPtr child);  // appends to items; watches the depth
  void watch_depth(Expr& parent, const Expr* child);
  Value literal(std::string bytes);
  int symbol(const std::string& name);

  // Counts nesting while it lives.
  class Nested {
   public:
    explicit Nested(Parser& parser);
    ~Nested() { --parser_.depth_; }

   private:
    Parser& parser_;
  };

  std::vector<Token> tokens_;
  Token end_;
  size_t at_ = 0;
  int depth_ = 0;
  int loops_ = 0;     // for loops around the present place, within its macro
  int branches_ = 0;  // ifs around it: an unknown filter there may never be reached
  std::optional<Error> error_;
  std::shared_ptr<Program> program_;
  std::unordered_map<std::string, int> symbols_;
};

}  // namespace aictl::jinja
