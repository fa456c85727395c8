// The tree of a template: statements hold bodies and expressions. Built once, then read only.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/template/template.hpp"
#include "core/template/value/value.hpp"

namespace aictl::jinja {

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;
using NamedExpr = std::pair<std::string, ExprPtr>;

enum class ExprKind {
  kConst,   // value
  kName,    // symbol
  kList,    // items
  kTuple,   // items
  kDict,    // items: key, value, key, value
  kNegate,  // items[0]
  kPlus,    // items[0]
  kNot,     // items[0]
  kBinary,  // items[0] name items[1]
  kAnd,     // items[0] and items[1]
  kOr,
  kCompare,    // items[0] ops[0] items[1] ops[1] ...
  kConcat,     // items joined by ~
  kCondition,  // items[1] if items[0] else items[2], which may be missing
  kAttribute,  // items[0].name; items[1] and items[2] unused
  kItem,       // items[0][items[1]]
  kSlice,      // items[0][items[1]:items[2]:items[3]], each part may be null
  kCall,       // items[0](arguments)
  kFilter,     // items[0] | builtin(arguments)
  kTest,       // items[0] is builtin(arguments)
  kPiped,      // what a filter block or a set block collected
};

struct Arguments {
  std::vector<ExprPtr> positional;
  std::vector<NamedExpr> named;
  ExprPtr star;         // *list
  ExprPtr double_star;  // **mapping
};

struct Expr {
  ExprKind kind;
  int line = 1;
  int depth = 1;    // of the tree from here down
  int symbol = -1;  // kName
  Value value;      // kConst
  std::string name;
  std::vector<std::string> ops;
  std::vector<ExprPtr> items;
  Arguments arguments;
  const Builtin* builtin = nullptr;      // kFilter, kTest; null: unknown, an error if it is reached
  const Builtin* dict_method = nullptr;  // kAttribute: the method of that name, if there is one
  const Builtin* text_method = nullptr;
};

enum class NodeKind {
  kText,         // value
  kOutput,       // expression
  kIf,           // branches; a null condition is the else
  kFor,          // target in expression [if condition]: body, else: otherwise
  kSet,          // target = expression
  kSetBlock,     // target = expression of what body gives (kPiped, maybe filtered)
  kMacro,        // name, parameters, body
  kCallBlock,    // expression is a kCall; caller has parameters and body
  kFilterBlock,  // expression of what body gives
  kWith,         // assignments, then body
  kBreak,
  kContinue,
};

struct Node;
using Body = std::vector<Node>;

struct Parameter {
  int symbol;
  ExprPtr fallback;  // may be null
};

struct Branch {
  ExprPtr condition;
  Body body;
};

struct Node {
  Node(NodeKind what, int where) : kind(what), line(where) {}

  NodeKind kind;
  int line;
  Value value;
  ExprPtr expression;
  ExprPtr target;  // kName, kTuple of targets, or kAttribute of a namespace
  ExprPtr condition;
  Body body;
  Body otherwise;
  std::vector<Branch> branches;
  std::vector<std::pair<ExprPtr, ExprPtr>> assignments;
  int symbol = -1;  // of a macro
  std::string name;
  std::vector<Parameter> parameters;
  bool takes_varargs = false;  // the macro's body names varargs, kwargs, caller
  bool takes_kwargs = false;
  bool takes_caller = false;
};

/// A parsed template: the tree, the names it uses, and the literals it prints.
struct Program {
  Options options;
  Body body;
  std::vector<std::string> symbols;  // by number
  std::deque<Text> texts;
  std::deque<std::string> bytes;
};

}  // namespace aictl::jinja
