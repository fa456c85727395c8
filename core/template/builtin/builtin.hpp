// Filters, tests, methods and functions: tables of names, how each takes its arguments, and the
// code behind it. All are pure; none reaches outside the render.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "core/template/value/operations.hpp"
#include "core/template/value/runtime.hpp"
#include "core/template/value/value.hpp"

namespace aictl::jinja {

/// Arguments of a call, evaluated. Names are the program's.
struct CallArguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string_view, Value>> named;
};

/// One call of a builtin: its arguments bound to its parameters.
struct Call {
  static constexpr size_t kMaxParameters = 6;

  Runtime& rt;
  const Value& self;           // what stands before the bar, the `is`, or the dot
  const CallArguments& given;  // for those that take any ("*")
  std::array<Value, kMaxParameters> values{};
  uint32_t bound = 0;  // a bit a parameter

  bool has(size_t i) const { return ((bound >> i) & 1U) != 0; }
  const Value& at(size_t i) const { return values[i]; }
  /// Parameter i as a flag; `fallback` if it was not given.
  bool flag(size_t i, bool fallback = false) const;
  /// Parameter i as an integer; an error and `fallback` if it is something else.
  int64_t integer(size_t i, int64_t fallback) const;
  /// Parameter i as a text; an error and nullptr if it is something else.
  const Text* text(size_t i) const;
  /// Whether parameter i was given and is not none.
  bool given_some(size_t i) const { return has(i) && !values[i].is(Kind::kNone); }
};

struct Builtin {
  std::string_view name;
  Value (*function)(Call&);     // null: the name exists in Python, but is unsafe or unknown here
  std::string_view parameters;  // names with blanks between; "*": any
  int required = 0;
};

/// By name; nullptr when there is none. The results live for ever.
const Builtin* find_filter(std::string_view name);
const Builtin* find_test(std::string_view name);
const Builtin* find_function(std::string_view name);
/// A method of values of this kind.
const Builtin* find_method(Kind kind, std::string_view name);

/// Binds the arguments and calls. Errors: too many, unknown or missing ones.
Value invoke(Runtime& rt, const Builtin& builtin, const Value& self, const CallArguments& given);

/// What the operator % does with a text on its left: "%s of %d" % (a, b).
/// `spare_allowed`: values that no conversion takes are no error.
Value format_text(Runtime& rt, const Text& format, const std::vector<Value>& values,
                  bool spare_allowed = false);

/// The value at a dotted path ("function.name", "0.id"), as map(attribute=) looks it up.
Value lookup_path(Runtime& rt, const Value& owner, const Value& path);

/// The text without the given characters, or without blanks, at its start and end.
Value strip(Call& call, bool left, bool right);
/// The text with each character's case changed.
enum class CaseChange { kUpper, kLower, kCapitalize, kSwap, kTitle, kTitleWords };
Value change_case(Runtime& rt, const Text& text, CaseChange change);
/// The text with `from` replaced by `to`, at most `limit` times (-1: everywhere).
Value replace(Runtime& rt, const Text& text, const Text& from, const Text& to, int64_t limit);
/// The pieces joined, `separator` between them.
Value join(Runtime& rt, const std::vector<Value>& pieces, const Text& separator);
/// The lines, without their ends.
std::vector<Value> split_lines(Runtime& rt, const Text& text);

/// The tables, one a file.
std::pair<const Builtin*, size_t> text_filters();
std::pair<const Builtin*, size_t> number_filters();
std::pair<const Builtin*, size_t> sequence_filters();
std::pair<const Builtin*, size_t> selection_filters();
std::pair<const Builtin*, size_t> text_methods();

}  // namespace aictl::jinja
