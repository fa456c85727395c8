// Value: what an expression gives. A kind and one word, either the thing itself or a pointer into
// the runtime's heap (or the program's), which lives until the render ends; so values are copied
// freely, and cycles cost nothing.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/template/value/text.hpp"

namespace aictl::jinja {

enum class Kind : uint8_t {
  kUndefined,
  kNone,
  kBool,
  kInt,
  kFloat,
  kText,
  kList,
  kTuple,
  kRange,
  kGenerator,  // what map, select and items give: can be walked once, has no length
  kView,       // what .keys(), .values() and .items() give
  kDict,
  kNamespace,
  kMacro,
  kFunction,
  kMethod,
  kLoop,
};

struct Sequence;
struct Dict;
struct Missing;
struct Macro;
struct Builtin;
struct Method;
struct Loop;
struct Node;
struct Scope;

struct Value {
  Kind kind = Kind::kUndefined;
  bool untrusted = false;  // a user's: numbers and containers carry it here, texts in themselves
  union {
    const Missing* missing = nullptr;
    bool boolean;
    int64_t integer;
    double real;
    const Text* text;
    Sequence* sequence;
    Dict* dict;
    const Macro* macro;
    const Builtin* builtin;
    const Method* method;
    const Loop* loop;
  };

  static Value none();
  static Value of(bool boolean);
  static Value of(int64_t integer, bool untrusted = false);
  static Value of(double real, bool untrusted = false);
  static Value of(const Text* text);
  static Value of(Kind kind, Sequence* sequence, bool untrusted = false);
  static Value of(Kind kind, Dict* dict, bool untrusted = false);

  bool is(Kind k) const { return kind == k; }
  bool is_undefined() const { return kind == Kind::kUndefined; }
  bool is_text() const { return kind == Kind::kText; }
  /// bool, int or float: Python's bool is an int.
  bool is_number() const { return kind >= Kind::kBool && kind <= Kind::kFloat; }
  bool is_integer() const { return kind == Kind::kBool || kind == Kind::kInt; }
  /// list, tuple, range, generator or view.
  bool is_sequence() const { return kind >= Kind::kList && kind <= Kind::kView; }
  /// What has a length, an order and indices: list, tuple, range.
  bool is_indexed() const { return kind >= Kind::kList && kind <= Kind::kRange; }
  bool is_callable() const { return kind >= Kind::kMacro && kind <= Kind::kMethod; }
  int64_t as_integer() const { return kind == Kind::kBool ? (boolean ? 1 : 0) : integer; }
  double as_real() const { return kind == Kind::kFloat ? real : static_cast<double>(as_integer()); }
};

struct Sequence {
  std::vector<Value> items;
  std::string_view view = {};         // of a kView: "dict_keys" and so on
  std::array<int64_t, 3> range = {};  // of a kRange: start, stop, step
};

/// Why a value is undefined: the message of the error that using it gives.
struct Missing {
  std::string message;
};

/// A function or method together with the value it is called on.
struct Method {
  const Builtin* builtin;
  Value self;
};

/// Where a for loop stands; what the template sees as `loop`.
struct Loop {
  const std::vector<Value>* items;
  size_t index = 0;
  mutable Value changed = {};  // what loop.changed() saw last; undefined before
};

/// A macro with the scope it was defined in, whose names it sees. The body of a call block has no
/// name.
struct Macro {
  std::string_view name;
  const Node* node;
  Scope* scope;
};

/// A mapping in order of insertion. Keys are texts, numbers and none.
struct Dict {
  std::vector<std::pair<Value, Value>> entries;

  Value* find(const Value& key);
  Value* find(std::string_view key);
  /// Replaces the value of a present key (which keeps its place), or appends.
  void set(const Value& key, const Value& value);
  /// Removes the entry; returns whether there was one.
  bool erase(const Value& key);

 private:
  std::unordered_map<std::string_view, size_t> index_;  // of text keys, once there are many
  size_t indexed_ = 0;                                  // entries that index_ knows
};

/// Python's name of the value's type, as its messages have it: "str", "NoneType".
std::string_view type_name(const Value& value);
/// The type as messages about attributes have it: "dict object", "None".
std::string object_name(const Value& value);

}  // namespace aictl::jinja
