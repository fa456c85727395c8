// What Python does with values: truth, equality, order, walking, printing, JSON.
#pragma once

#include <optional>
#include <vector>

#include "core/template/value/runtime.hpp"
#include "core/template/value/value.hpp"

namespace aictl::jinja {

/// Python's truth of a value; an undefined one is false, or an error if the policy is strict.
bool truth(Runtime& rt, const Value& value);

/// Python's ==; an error and false for data nested deeper than kMaxDataDepth.
bool equal(Runtime& rt, const Value& a, const Value& b, int depth = 0);
/// The same for texts, numbers and none; anything else is equal to itself alone.
bool equal_scalars(const Value& a, const Value& b);

/// Python's <, or an error ("'<' not supported between ...") and false.
bool less(Runtime& rt, const Value& a, const Value& b, std::string_view sign = "<", int depth = 0);

/// Whether `container` has `item`, as the operator `in`.
bool contains(Runtime& rt, const Value& container, const Value& item);

/// Whether the value can be a key of a mapping: a text, a number or none.
bool hashable(const Value& value);

/// The items to walk over: those of a sequence where they are, else collected in `storage` (keys
/// of a mapping, characters of a text). A generator is emptied. nullptr after an error. The
/// vector may grow while it is walked if the template appends to it: walk it by index.
const std::vector<Value>* items_of(Runtime& rt, const Value& value, std::vector<Value>& storage);

/// len(); nullopt and an error where there is none.
std::optional<int64_t> length_of(Runtime& rt, const Value& value);

/// The characters of a text, each a text.
std::vector<Value> characters(Runtime& rt, const Text& text);

/// str() and repr(), appended.
void print(Runtime& rt, TextBuilder& out, const Value& value);
void print_repr(Runtime& rt, TextBuilder& out, const Value& value, int depth = 0);
/// str(): the value itself if it is a text.
Value to_text(Runtime& rt, const Value& value);
/// A float as Python writes it: 1.0, 1e+16.
std::string float_repr(double real);

/// How json.dumps is told to write.
struct JsonStyle {
  bool ensure_ascii = false;
  bool sort_keys = false;
  std::optional<std::string> indent;
  std::string item_separator = ", ";
  std::string key_separator = ": ";
};
void print_json(Runtime& rt, TextBuilder& out, const Value& value, const JsonStyle& style,
                int depth = 0);

/// The text with & < > " ' as HTML entities.
Value escape_html(Runtime& rt, const Text& text);

/// Binary arithmetic: + - * / % and "//", "**".
Value arithmetic(Runtime& rt, std::string_view op, const Value& a, const Value& b);

/// x[index], x.name, x[start:stop:step]. Missing ones are undefined.
Value get_item(Runtime& rt, const Value& owner, const Value& index);
Value get_attribute(Runtime& rt, const Value& owner, std::string_view name);
Value get_slice(Runtime& rt, const Value& owner, const Value& start, const Value& stop,
                const Value& step);

}  // namespace aictl::jinja
