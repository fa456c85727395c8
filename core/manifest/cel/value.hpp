// A value while a rule is evaluated. Trees of the document are pointed to, never copied.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/value/json.hpp"

namespace aictl::cel {

enum class Type : uint8_t { kError, kNull, kBool, kInt, kDouble, kString, kDuration, kList, kMap };

struct Value {
  Type type = Type::kNull;
  bool boolean = false;
  int64_t integer = 0;  // kDuration: nanoseconds
  double real = 0;
  std::string_view text;       // kString; kError: why. Lives in the document, the tree or the Store
  const Json* tree = nullptr;  // a kList or kMap of the document ...
  const std::vector<Value>* items = nullptr;  // ... or a kList made here; a kMap's keys and values

  bool is(Type wanted) const { return type == wanted; }
  bool failed() const { return type == Type::kError; }
  bool is_number() const { return type == Type::kInt || type == Type::kDouble; }
  double number() const { return type == Type::kInt ? static_cast<double>(integer) : real; }

  static Value boolean_of(bool value) {
    Value made;
    made.type = Type::kBool;
    made.boolean = value;
    return made;
  }
  static Value integer_of(int64_t value, Type type = Type::kInt) {
    Value made;
    made.type = type;
    made.integer = value;
    return made;
  }
  static Value real_of(double value) {
    Value made;
    made.type = Type::kDouble;
    made.real = value;
    return made;
  }
  static Value text_of(std::string_view value) {
    Value made;
    made.type = Type::kString;
    made.text = value;
    return made;
  }
};

/// Owns what an evaluation makes: texts and lists.
class Store {
 public:
  std::string_view keep(std::string text) { return texts_.emplace_back(std::move(text)); }
  Value error(std::string why) {
    Value made;
    made.type = Type::kError;
    made.text = keep(std::move(why));
    return made;
  }
  Value list(std::vector<Value> items, Type type = Type::kList) {
    Value made;
    made.type = type;
    made.items = &lists_.emplace_back(std::move(items));
    return made;
  }

 private:
  std::deque<std::string> texts_;  // deques: references stay valid
  std::deque<std::vector<Value>> lists_;
};

/// A node of a document as a value.
Value value_of(const Json& tree);

/// Items of a list or entries of a map.
size_t size_of(const Value& collection);
/// Item `index` of a list; of a map its key, as `all` and its kin see it.
Value item_of(const Value& collection, size_t index);
/// The entry of a map, or a kError; `found` tells which.
Value entry_of(const Value& map, const Value& key, Store& store, bool& found);

/// Deep, numbers by their value whatever their type.
bool equal(const Value& left, const Value& right);

/// "int", "string", as CEL's type() names them.
std::string_view type_name(Type type);

}  // namespace aictl::cel
