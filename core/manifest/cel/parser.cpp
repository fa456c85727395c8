// Recursive descent, one function a level of precedence.
#include <array>
#include <optional>

#include <fmt/format.h>

#include "core/manifest/cel/lexer.hpp"

namespace aictl::cel {
namespace {

constexpr size_t kMaxNodes = 4096;  // the longest rule of the schemas has some 200
constexpr int kMaxDepth = 100;

struct Operator {
  std::string_view symbol;
  Op op;
};
constexpr std::array<Operator, 7> kRelations = {{{"==", Op::kEqual},
                                                 {"!=", Op::kNotEqual},
                                                 {"<=", Op::kLessEqual},
                                                 {">=", Op::kGreaterEqual},
                                                 {"<", Op::kLess},
                                                 {">", Op::kGreater},
                                                 {"in", Op::kIn}}};
constexpr std::array<Operator, 2> kSums = {{{"+", Op::kAdd}, {"-", Op::kSubtract}}};
constexpr std::array<Operator, 3> kProducts = {
    {{"*", Op::kMultiply}, {"/", Op::kDivide}, {"%", Op::kModulo}}};
constexpr std::array<Operator, 5> kMacros = {{{"all", Op::kAll},
                                              {"exists", Op::kExists},
                                              {"exists_one", Op::kExistsOne},
                                              {"filter", Op::kFilter},
                                              {"map", Op::kTransform}}};

template <size_t N>
std::optional<Op> find(const std::array<Operator, N>& table, std::string_view symbol) {
  for (const Operator& row : table)
    if (row.symbol == symbol) return row.op;
  return std::nullopt;
}

// A field whose name is a reserved word or holds other characters is written with these.
std::string unescaped(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kEscapes = {
      {{"__underscores__", "__"}, {"__dot__", "."}, {"__dash__", "-"}, {"__slash__", "/"}}};
  std::string out;
  while (!name.empty()) {
    bool escaped = false;
    for (const auto& [spelled, meant] : kEscapes)
      if (name.starts_with(spelled)) {
        out += meant;
        name.remove_prefix(spelled.size());
        escaped = true;
        break;
      }
    if (escaped) continue;
    out += name.front();
    name.remove_prefix(1);
  }
  if (out.size() > 4 && out.starts_with("__") && out.ends_with("__"))  // __namespace__
    return out.substr(2, out.size() - 4);
  return out;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) {}

  Result<Node> whole() {
    if (auto begun = advance(); !begun) return std::move(begun).error();
    auto node = conditional();
    if (node && now_.token != Token::kEnd) return unexpected();
    return node;
  }

 private:
  using Level = Result<Node> (Parser::*)();

  Result<void> advance() {
    auto next = lexer_.next();
    if (!next) return std::move(next).error();
    now_ = std::move(*next);
    return {};
  }
  bool at(std::string_view symbol) const {
    return now_.token == Token::kSymbol && now_.text == symbol;
  }
  Result<void> expect(std::string_view symbol) {
    if (!at(symbol)) return unexpected();
    return advance();
  }
  Error unexpected() const {
    return {ErrorCode::kDataRefused,
            fmt::format("column {}: unexpected {}", now_.column,
                        now_.token == Token::kEnd       ? "end"
                        : now_.token == Token::kLiteral ? "literal"
                                                        : now_.text),
            ""};
  }
  Result<Node> made(Op op, std::vector<Node> children, std::string text = "") {
    if (++nodes_ > kMaxNodes)
      return Error{ErrorCode::kDataRefused,
                   fmt::format("column {}: over {} operations", now_.column, kMaxNodes), ""};
    Node node;
    node.op = op;
    node.text = std::move(text);
    node.children = std::move(children);
    return node;
  }

  // The operators of one level, from the left: next (op next)*.
  template <size_t N>
  Result<Node> left_to_right(const std::array<Operator, N>& table, Level next) {
    auto node = (this->*next)();
    while (node && now_.token != Token::kEnd && now_.token != Token::kLiteral) {
      const auto op = find(table, now_.text);
      if (!op) break;
      if (auto moved = advance(); !moved) return std::move(moved).error();
      auto right = (this->*next)();
      if (!right) return right;
      std::vector<Node> sides;
      sides.push_back(std::move(*node));
      sides.push_back(std::move(*right));
      node = made(*op, std::move(sides));
    }
    return node;
  }

  Result<Node> conditional() {
    if (++depth_ > kMaxDepth)
      return Error{ErrorCode::kDataRefused,
                   fmt::format("column {}: over {} levels deep", now_.column, kMaxDepth), ""};
    auto node = disjunction();
    if (node && at("?")) node = branches(std::move(*node));
    --depth_;
    return node;
  }
  Result<Node> branches(Node condition) {
    std::vector<Node> parts;
    parts.push_back(std::move(condition));
    for (const std::string_view symbol : {"?", ":"}) {
      if (auto met = expect(symbol); !met) return std::move(met).error();
      auto part = conditional();
      if (!part) return part;
      parts.push_back(std::move(*part));
    }
    return made(Op::kConditional, std::move(parts));
  }
  Result<Node> disjunction() {
    return left_to_right(std::array<Operator, 1>{{{"||", Op::kOr}}}, &Parser::conjunction);
  }
  Result<Node> conjunction() {
    return left_to_right(std::array<Operator, 1>{{{"&&", Op::kAnd}}}, &Parser::relation);
  }
  Result<Node> relation() { return left_to_right(kRelations, &Parser::sum); }
  Result<Node> sum() { return left_to_right(kSums, &Parser::product); }
  Result<Node> product() { return left_to_right(kProducts, &Parser::unary); }

  Result<Node> unary() {
    std::vector<Op> signs;
    while (at("!") || at("-")) {
      signs.push_back(at("!") ? Op::kNot : Op::kNegate);
      if (auto moved = advance(); !moved) return std::move(moved).error();
    }
    auto node = member();
    for (auto sign = signs.rbegin(); node && sign != signs.rend(); ++sign) {
      std::vector<Node> only;
      only.push_back(std::move(*node));
      node = made(*sign, std::move(only));
    }
    return node;
  }

  // primary (.name | .name(...) | [index])*
  Result<Node> member() {
    auto node = primary();
    while (node && (at(".") || at("["))) {
      const bool index = at("[");
      if (auto moved = advance(); !moved) return std::move(moved).error();
      node = index ? indexed(std::move(*node)) : selected(std::move(*node));
    }
    return node;
  }
  Result<Node> indexed(Node of) {
    auto index = conditional();
    if (!index) return index;
    if (auto met = expect("]"); !met) return std::move(met).error();
    std::vector<Node> sides;
    sides.push_back(std::move(of));
    sides.push_back(std::move(*index));
    return made(Op::kIndex, std::move(sides));
  }
  Result<Node> selected(Node of) {
    if (now_.token != Token::kIdentifier) return unexpected();
    const std::string name = now_.text;
    if (auto moved = advance(); !moved) return std::move(moved).error();
    std::vector<Node> arguments;
    arguments.push_back(std::move(of));
    if (!at("(")) return made(Op::kSelect, std::move(arguments), unescaped(name));
    if (auto read = list_until(")", arguments); !read) return std::move(read).error();
    if (const auto macro = find(kMacros, name)) return macro_call(*macro, std::move(arguments));
    return call(name, std::move(arguments), true);
  }

  // The rest of "(a, b)" or "[a, b]", the opening symbol being current.
  Result<void> list_until(std::string_view closing, std::vector<Node>& into) {
    if (auto moved = advance(); !moved) return moved;
    while (!at(closing)) {
      auto item = conditional();
      if (!item) return std::move(item).error();
      into.push_back(std::move(*item));
      if (at(closing)) break;
      if (auto met = expect(","); !met) return met;
    }
    return advance();
  }

  // list.all(x, condition): the variable becomes the node's text.
  Result<Node> macro_call(Op op, std::vector<Node> arguments) {
    const bool fits = arguments.size() == 3 || (op == Op::kTransform && arguments.size() == 4);
    if (!fits || arguments[1].op != Op::kVariable) return unexpected();
    std::string variable = std::move(arguments[1].text);
    arguments.erase(arguments.begin() + 1);
    return made(op, std::move(arguments), std::move(variable));
  }

  Result<Node> call(const std::string& name, std::vector<Node> arguments, bool method) {
    const Function* function = find_function(name, method);
    const int count = static_cast<int>(arguments.size());
    if (function == nullptr || count < function->least || count > function->most)
      return Error{ErrorCode::kUnsupported,
                   fmt::format("column {}: no function {} of {} arguments", now_.column, name,
                               count - (method ? 1 : 0)),
                   ""};
    auto node = made(Op::kCall, std::move(arguments));
    if (node) node->function = function;
    return node;
  }

  Result<Node> primary() {
    if (now_.token == Token::kLiteral) {
      Literal literal = std::move(now_.literal);
      if (auto moved = advance(); !moved) return std::move(moved).error();
      return constant(std::move(literal));
    }
    if (now_.token == Token::kIdentifier) return word();
    if (at("[")) {
      std::vector<Node> items;
      if (auto read = list_until("]", items); !read) return std::move(read).error();
      return made(Op::kList, std::move(items));
    }
    if (at("{")) return map();
    if (auto met = expect("("); !met) return std::move(met).error();
    auto inside = conditional();
    if (!inside) return inside;
    if (auto met = expect(")"); !met) return std::move(met).error();
    return inside;
  }
  Result<Node> constant(Literal literal) {
    auto node = made(Op::kLiteral, {});
    if (node) node->literal = std::move(literal);
    return node;
  }
  Result<Node> word() {
    const std::string name = now_.text;
    if (auto moved = advance(); !moved) return std::move(moved).error();
    if (name == "true" || name == "false") return constant(name == "true");
    if (name == "null") return constant(std::monostate());
    if (!at("(")) return made(Op::kVariable, {}, name);
    std::vector<Node> arguments;
    if (auto read = list_until(")", arguments); !read) return std::move(read).error();
    if (name != "has") return call(name, std::move(arguments), false);
    if (arguments.size() != 1 || arguments[0].op != Op::kSelect) return unexpected();
    Node field = std::move(arguments[0]);
    field.op = Op::kHas;
    return field;
  }
  Result<Node> map() {
    std::vector<Node> entries;
    if (auto moved = advance(); !moved) return std::move(moved).error();
    while (!at("}")) {
      for (const std::string_view after : {":", ""}) {
        auto part = conditional();
        if (!part) return part;
        entries.push_back(std::move(*part));
        if (after.empty()) break;
        if (auto met = expect(after); !met) return std::move(met).error();
      }
      if (at("}")) break;
      if (auto met = expect(","); !met) return std::move(met).error();
    }
    if (auto moved = advance(); !moved) return std::move(moved).error();
    return made(Op::kMap, std::move(entries));
  }

  Lexer lexer_;
  Lexeme now_;
  size_t nodes_ = 0;
  int depth_ = 0;
};

}  // namespace

Result<Node> parse_expression(std::string_view text) { return Parser(text).whole(); }

}  // namespace aictl::cel
