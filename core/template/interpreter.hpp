// Interpreter: walks a program's tree with the values of one render.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.hpp"
#include "core/template/builtin/builtin.hpp"
#include "core/template/syntax/ast.hpp"
#include "core/template/template.hpp"
#include "core/template/value/runtime.hpp"

namespace aictl::jinja {

/// Names of one block: a loop's round, a macro's call. Looked up inwards out.
struct Scope {
  Scope* parent;
  std::vector<std::pair<int, Value>> names = {};
  bool captured = false;  // a macro sees it: it must stay as it is
};

class Interpreter {
 public:
  Interpreter(const Program& program, const RenderOptions& limits);
  Result<Rendered> run(const Json& variables);

 private:
  enum class Flow { kNormal, kBreak, kContinue };

  // Statements, statements.cpp.
  void define_globals(const Json& variables);
  void trust_roles(const Value& messages);
  Flow execute(const Body& body);
  Flow execute_node(const Node& node);
  Flow execute_if(const Node& node);
  Flow execute_for(const Node& node);
  Flow execute_with(const Node& node);
  void execute_output(const Node& node);
  void execute_macro(const Node& node);
  void execute_call_block(const Node& node);
  Flow execute_filter_block(const Node& node);
  Flow collect(const Body& body, Value& text);
  void assign(const Expr& target, const Value& value);
  void define(int symbol, const Value& value);
  Scope* open_scope(Scope* parent);
  bool fits(size_t added);

  // Expressions, evaluate.cpp.
  Value evaluate(const Expr& node);
  Value evaluate_node(const Expr& node);
  Value evaluate_items(const Expr& node, Kind kind);
  Value evaluate_dict(const Expr& node);
  Value evaluate_unary(const Expr& node);
  Value evaluate_binary(const Expr& node);
  Value evaluate_compare(const Expr& node);
  Value evaluate_concat(const Expr& node);
  Value evaluate_condition(const Expr& node);
  Value evaluate_attribute(const Expr& node);
  Value evaluate_item(const Expr& node);
  Value evaluate_slice(const Expr& node);
  Value evaluate_builtin(const Expr& node);
  Value lookup(const Expr& node);
  Value loop_attribute(const Value& owner, std::string_view name);
  bool compare(const std::string& op, const Value& left, const Value& right);
  CallArguments arguments_of(const Arguments& arguments);
  Value call(const Value& callee, CallArguments arguments);
  Value call_macro(const Macro& macro, CallArguments arguments);
  bool bind_parameters(const Macro& macro, CallArguments& arguments);
  void bind_special(const Node& node, CallArguments& arguments, size_t taken);

  const Program& program_;
  Runtime rt_;
  std::deque<Scope> scopes_;
  std::deque<Macro> macros_;
  std::deque<Loop> loops_;
  std::deque<std::vector<Value>> loop_items_;
  std::vector<Value> globals_;  // by symbol; undefined without a reason: there is none
  Scope* scope_ = nullptr;
  TextBuilder* out_ = nullptr;
  Value piped_;  // what a filter or set block collected
  int depth_ = 0;
  int loop_symbol_ = -1;
  int caller_symbol_ = -1;
  int varargs_symbol_ = -1;
  int kwargs_symbol_ = -1;
};

}  // namespace aictl::jinja
