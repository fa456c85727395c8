// Tests: what may stand after `is`.
#include "core/base/utf8.hpp"
#include "core/template/builtin/builtin.hpp"
#include "core/template/value/unicode.hpp"

#include <string>

namespace aictl::jinja {
namespace {

Value test_defined(Call& call) { return Value::of(!call.self.is_undefined()); }
Value test_undefined(Call& call) { return Value::of(call.self.is_undefined()); }

template <Kind kind>
Value test_kind(Call& call) {
  return Value::of(call.self.is(kind));
}

Value test_true(Call& call) { return Value::of(call.self.is(Kind::kBool) && call.self.boolean); }
Value test_false(Call& call) { return Value::of(call.self.is(Kind::kBool) && !call.self.boolean); }
Value test_number(Call& call) { return Value::of(call.self.is_number()); }
Value test_callable(Call& call) {
  return Value::of(call.self.is_callable() || call.self.is_undefined());
}

// What has a length and an index operator, which in Jinja includes the undefined value.
Value test_sequence(Call& call) {
  if (call.self.is_undefined())
    return Value::of(call.rt.options.undefined != UndefinedPolicy::kStrict);
  return Value::of(call.self.is_text() || call.self.is_indexed() || call.self.is(Kind::kDict));
}

Value test_iterable(Call& call) {
  if (call.self.is_undefined()) return Value::of(call.rt.allow_undefined(call.self));
  return Value::of(call.self.is_text() || call.self.is_sequence() || call.self.is(Kind::kDict) ||
                   call.self.is(Kind::kLoop));
}

Value test_same(Call& call) {
  const Value& other = call.at(0);
  return Value::of(call.self.kind == other.kind && equal_scalars(call.self, other));
}

Value test_equal(Call& call) { return Value::of(equal(call.rt, call.self, call.at(0))); }
Value test_unequal(Call& call) { return Value::of(!equal(call.rt, call.self, call.at(0))); }
Value test_less(Call& call) { return Value::of(less(call.rt, call.self, call.at(0))); }
Value test_greater(Call& call) { return Value::of(less(call.rt, call.at(0), call.self, ">")); }

Value test_at_most(Call& call) {
  return Value::of(equal(call.rt, call.self, call.at(0)) ||
                   less(call.rt, call.self, call.at(0), "<"));
}

Value test_at_least(Call& call) {
  return Value::of(equal(call.rt, call.self, call.at(0)) ||
                   less(call.rt, call.at(0), call.self, ">"));
}

Value test_in(Call& call) { return Value::of(contains(call.rt, call.at(0), call.self)); }

Value remainder_is(Call& call, const Value& divisor, int64_t wanted) {
  const Value rest = arithmetic(call.rt, "%", call.self, divisor);
  return Value::of(rest.is_number() && rest.as_real() == static_cast<double>(wanted));
}

Value test_odd(Call& call) { return remainder_is(call, Value::of(int64_t{2}), 1); }
Value test_even(Call& call) { return remainder_is(call, Value::of(int64_t{2}), 0); }
Value test_divisible(Call& call) { return remainder_is(call, call.at(0), 0); }

// Python's islower and isupper: a cased letter at least, and none of the other case.
Value all_cased(Call& call, bool upper) {
  const Value text = to_text(call.rt, call.self);
  if (call.rt.failed() || !call.rt.spend(text.text->bytes.size() / 16)) return {};
  bool found = false;
  for (size_t at = 0; at < text.text->bytes.size();) {
    const utf8::Step step = utf8::decode(text.text->bytes.substr(at));
    if (unicode::is_upper(step.code_point) || unicode::is_lower(step.code_point)) {
      if (unicode::is_upper(step.code_point) != upper) return Value::of(false);
      found = true;
    }
    at += static_cast<size_t>(step.length);
  }
  return Value::of(found);
}

Value test_lower(Call& call) { return all_cased(call, false); }
Value test_upper(Call& call) { return all_cased(call, true); }
Value test_escaped(Call& call) { return Value::of(call.self.is_text() && call.self.text->markup); }

Value test_filter(Call& call) {
  return Value::of(call.self.is_text() && find_filter(call.self.text->bytes) != nullptr);
}

Value test_test(Call& call) {
  return Value::of(call.self.is_text() && find_test(call.self.text->bytes) != nullptr);
}

constexpr Builtin kTests[] = {
    {"defined", test_defined, ""},
    {"undefined", test_undefined, ""},
    {"none", test_kind<Kind::kNone>, ""},
    {"boolean", test_kind<Kind::kBool>, ""},
    {"integer", test_kind<Kind::kInt>, ""},
    {"float", test_kind<Kind::kFloat>, ""},
    {"string", test_kind<Kind::kText>, ""},
    {"mapping", test_kind<Kind::kDict>, ""},
    {"true", test_true, ""},
    {"false", test_false, ""},
    {"number", test_number, ""},
    {"sequence", test_sequence, ""},
    {"iterable", test_iterable, ""},
    {"callable", test_callable, ""},
    {"sameas", test_same, "other", 1},
    {"equalto", test_equal, "other", 1},
    {"eq", test_equal, "other", 1},
    {"==", test_equal, "other", 1},
    {"ne", test_unequal, "other", 1},
    {"!=", test_unequal, "other", 1},
    {"lt", test_less, "other", 1},
    {"lessthan", test_less, "other", 1},
    {"<", test_less, "other", 1},
    {"gt", test_greater, "other", 1},
    {"greaterthan", test_greater, "other", 1},
    {">", test_greater, "other", 1},
    {"le", test_at_most, "other", 1},
    {"<=", test_at_most, "other", 1},
    {"ge", test_at_least, "other", 1},
    {">=", test_at_least, "other", 1},
    {"in", test_in, "sequence", 1},
    {"odd", test_odd, ""},
    {"even", test_even, ""},
    {"divisibleby", test_divisible, "number", 1},
    {"lower", test_lower, ""},
    {"upper", test_upper, ""},
    {"escaped", test_escaped, ""},
    {"filter", test_filter, ""},
    {"test", test_test, ""},
};

}  // namespace

const Builtin* find_test(std::string_view name) {
  for (const Builtin& test : kTests)
    if (test.name == name) return &test;
  return nullptr;
}

}  // namespace aictl::jinja
