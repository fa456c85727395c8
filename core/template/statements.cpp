// Statements: what prints, branches, loops, and names things.
#include "core/template/interpreter.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace aictl::jinja {

Interpreter::Interpreter(const Program& program, const RenderOptions& limits)
    : program_(program), rt_(program.options, limits), globals_(program.symbols.size()) {}

Result<Rendered> Interpreter::run(const Json& variables) {
  TextBuilder out;
  out_ = &out;
  scope_ = open_scope(nullptr);
  define_globals(variables);
  if (!rt_.failed()) execute(program_.body);
  if (rt_.failed()) return rt_.error();
  Rendered rendered;
  size_t begin = 0;
  for (const Run& run : out.runs()) {
    rendered.spans.push_back({begin, run.end, run.trusted});
    begin = run.end;
  }
  rendered.text = std::move(out.bytes());
  return rendered;
}

void Interpreter::define_globals(const Json& variables) {
  const auto& untrusted = rt_.limits.untrusted;
  for (size_t i = 0; i < program_.symbols.size(); ++i) {
    const std::string& name = program_.symbols[i];
    const int symbol = static_cast<int>(i);
    if (name == "loop") loop_symbol_ = symbol;
    if (name == "caller") caller_symbol_ = symbol;
    if (name == "varargs") varargs_symbol_ = symbol;
    if (name == "kwargs") kwargs_symbol_ = symbol;
    if (variables.is_object() && variables.contains(name)) {
      const bool by_user = std::find(untrusted.begin(), untrusted.end(), name) != untrusted.end();
      globals_[i] = rt_.from_json(variables.at(name), by_user);
      if (by_user && name == "messages") trust_roles(globals_[i]);
    } else if (const Builtin* function = find_function(name)) {
      globals_[i].kind = Kind::kFunction;
      globals_[i].builtin = function;
    }
  }
}

void Interpreter::trust_roles(const Value& messages) {
  if (!messages.is(Kind::kList)) return;
  for (const Value& message : messages.sequence->items) {
    if (!message.is(Kind::kDict)) continue;
    Value* role = message.dict->find("role");
    if (role == nullptr || !role->is_text()) continue;
    const auto& known = rt_.limits.trusted_roles;
    if (std::find(known.begin(), known.end(), role->text->bytes) != known.end())
      *role = rt_.literal(role->text->bytes);
  }
}

Scope* Interpreter::open_scope(Scope* parent) {
  return &scopes_.emplace_back(Scope{.parent = parent});
}

bool Interpreter::fits(size_t added) {
  return rt_.spend() && (out_->size() + added <= rt_.limits.max_output_bytes ||
                         rt_.spend_bytes(out_->size() + added));
}

Interpreter::Flow Interpreter::execute(const Body& body) {
  if (++depth_ > rt_.limits.max_depth)
    rt_.fail_too_large(fmt::format("nested deeper than {}", rt_.limits.max_depth));
  Flow flow = Flow::kNormal;
  for (const Node& node : body) {
    if (rt_.failed()) break;
    flow = execute_node(node);
    if (flow != Flow::kNormal) break;
  }
  --depth_;
  return flow;
}

Interpreter::Flow Interpreter::execute_node(const Node& node) {
  rt_.line = node.line;
  switch (node.kind) {
    case NodeKind::kText:
      if (fits(node.value.text->bytes.size())) out_->append(node.value.text->bytes, true);
      return Flow::kNormal;
    case NodeKind::kOutput:
      execute_output(node);
      return Flow::kNormal;
    case NodeKind::kIf:
      return execute_if(node);
    case NodeKind::kFor:
      return execute_for(node);
    case NodeKind::kSet:
      assign(*node.target, evaluate(*node.expression));
      return Flow::kNormal;
    case NodeKind::kSetBlock:
    case NodeKind::kFilterBlock:
      return execute_filter_block(node);
    case NodeKind::kMacro:
      execute_macro(node);
      return Flow::kNormal;
    case NodeKind::kCallBlock:
      execute_call_block(node);
      return Flow::kNormal;
    case NodeKind::kWith:
      return execute_with(node);
    case NodeKind::kBreak:
      return Flow::kBreak;
    case NodeKind::kContinue:
      return Flow::kContinue;
  }
  return Flow::kNormal;
}

void Interpreter::execute_output(const Node& node) {
  const Value value = evaluate(*node.expression);
  if (rt_.failed()) return;
  if (value.is_text() && !fits(value.text->bytes.size())) return;
  print(rt_, *out_, value);
  fits(0);
}

Interpreter::Flow Interpreter::execute_if(const Node& node) {
  for (const Branch& branch : node.branches) {
    if (branch.condition && !truth(rt_, evaluate(*branch.condition))) {
      if (rt_.failed()) break;
      continue;
    }
    return rt_.failed() ? Flow::kNormal : execute(branch.body);
  }
  return Flow::kNormal;
}

Interpreter::Flow Interpreter::execute_for(const Node& node) {
  const Value iterable = evaluate(*node.expression);
  if (rt_.failed()) return Flow::kNormal;
  Scope* const outer = scope_;
  std::vector<Value>& storage = loop_items_.emplace_back();
  const std::vector<Value>* items = items_of(rt_, iterable, storage);
  if (items != nullptr && node.condition) {
    std::vector<Value> kept;
    for (size_t i = 0; i < items->size() && rt_.spend(); ++i) {
      scope_ = open_scope(outer);
      assign(*node.target, (*items)[i]);
      if (!rt_.failed() && truth(rt_, evaluate(*node.condition))) kept.push_back((*items)[i]);
    }
    storage = std::move(kept);
    items = &storage;
  }
  Loop& loop = loops_.emplace_back(Loop{items});
  Value loop_value;
  loop_value.kind = Kind::kLoop;
  loop_value.loop = &loop;
  Flow flow = Flow::kNormal;
  scope_ = nullptr;
  for (; items != nullptr && loop.index < items->size() && rt_.spend(); ++loop.index) {
    if (scope_ == nullptr || scope_->captured) scope_ = open_scope(outer);
    scope_->names.clear();
    if (loop_symbol_ >= 0) define(loop_symbol_, loop_value);
    assign(*node.target, (*items)[loop.index]);
    if (rt_.failed()) break;
    flow = execute(node.body);
    if (flow == Flow::kBreak) break;
  }
  const bool entered = loop.index > 0 || flow == Flow::kBreak;
  scope_ = outer;
  if (entered || rt_.failed() || node.otherwise.empty()) return Flow::kNormal;
  scope_ = open_scope(outer);
  flow = execute(node.otherwise);
  scope_ = outer;
  return flow;
}

Interpreter::Flow Interpreter::execute_with(const Node& node) {
  Scope* const outer = scope_;
  Scope* const inner = open_scope(outer);
  for (const auto& [target, expression] : node.assignments) {
    scope_ = outer;
    const Value value = evaluate(*expression);
    scope_ = inner;
    assign(*target, value);
  }
  scope_ = inner;
  const Flow flow = execute(node.body);
  scope_ = outer;
  return flow;
}

void Interpreter::execute_macro(const Node& node) {
  Value value;
  value.kind = Kind::kMacro;
  value.macro = &macros_.emplace_back(Macro{node.name, &node, scope_});
  for (Scope* scope = scope_; scope != nullptr && !scope->captured; scope = scope->parent)
    scope->captured = true;
  define(node.symbol, value);
}

// Runs `body` in a scope of its own and collects what it prints, as a text.
Interpreter::Flow Interpreter::collect(const Body& body, Value& text) {
  TextBuilder collected;
  TextBuilder* const out = std::exchange(out_, &collected);
  Scope* const outer = scope_;
  scope_ = open_scope(outer);
  const Flow flow = execute(body);
  scope_ = outer;
  out_ = out;
  if (!rt_.failed()) text = rt_.text(std::move(collected));
  return flow;
}

Interpreter::Flow Interpreter::execute_filter_block(const Node& node) {
  Value text;
  const Flow flow = collect(node.body, text);
  if (rt_.failed() || flow != Flow::kNormal) return flow;
  const Value outer = std::exchange(piped_, text);
  const Value value = evaluate(*node.expression);
  piped_ = outer;
  if (rt_.failed()) return flow;
  if (node.target) {
    assign(*node.target, value);
  } else if (!value.is_text()) {
    rt_.fail(fmt::format("a filter block must give a string, not '{}'", type_name(value)));
  } else {
    print(rt_, *out_, value);
    fits(0);
  }
  return flow;
}

void Interpreter::execute_call_block(const Node& node) {
  const Value callee = evaluate(*node.expression->items[0]);
  if (rt_.failed()) return;
  CallArguments arguments = arguments_of(node.expression->arguments);
  for (Scope* scope = scope_; scope != nullptr && !scope->captured; scope = scope->parent)
    scope->captured = true;
  Value caller;
  caller.kind = Kind::kMacro;
  caller.macro = &macros_.emplace_back(Macro{{}, &node, scope_});
  arguments.named.emplace_back("caller", caller);
  const Value text = call(callee, std::move(arguments));
  if (rt_.failed()) return;
  print(rt_, *out_, text);
  fits(0);
}

void Interpreter::define(int symbol, const Value& value) {
  for (auto& [name, present] : scope_->names) {
    if (name != symbol) continue;
    present = value;
    return;
  }
  scope_->names.emplace_back(symbol, value);
}

void Interpreter::assign(const Expr& target, const Value& value) {
  if (rt_.failed()) return;
  if (target.kind == ExprKind::kName) return define(target.symbol, value);
  if (target.kind == ExprKind::kAttribute) {
    const Value owner = evaluate(*target.items[0]);
    if (rt_.failed()) return;
    if (!owner.is(Kind::kNamespace)) {
      rt_.fail("cannot assign attribute on non-namespace object");
      return;
    }
    if (rt_.spend()) owner.dict->set(rt_.literal(target.name), value);
    return;
  }
  std::vector<Value> storage;
  const std::vector<Value>* items = items_of(rt_, value, storage);
  if (items == nullptr) return;
  if (items->size() != target.items.size()) {
    rt_.fail(items->size() < target.items.size()
                 ? fmt::format("not enough values to unpack (expected {}, got {})",
                               target.items.size(), items->size())
                 : fmt::format("too many values to unpack (expected {})", target.items.size()));
    return;
  }
  for (size_t i = 0; i < items->size(); ++i) assign(*target.items[i], (*items)[i]);
}

}  // namespace aictl::jinja
