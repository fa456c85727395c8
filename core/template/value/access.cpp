// Arithmetic and access by index, name and slice, with Python's rules and bounded results.
#include "core/template/value/operations.hpp"

#include "core/base/utf8.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace aictl::jinja {
namespace {

Value overflow(Runtime& rt) { return rt.fail("the result does not fit in 64 bits"); }

Value unsupported(Runtime& rt, std::string_view op, const Value& a, const Value& b) {
  if (op == "**") op = "** or pow()";
  return rt.fail(fmt::format("unsupported operand type(s) for {}: '{}' and '{}'", op, type_name(a),
                             type_name(b)));
}

Value power(Runtime& rt, int64_t base, int64_t exponent, bool untrusted) {
  if (exponent < 0) {
    if (base == 0) return rt.fail("0.0 cannot be raised to a negative power");
    return Value::of(std::pow(static_cast<double>(base), static_cast<double>(exponent)), untrusted);
  }
  int64_t result = 1;
  while (exponent > 0) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) return overflow(rt);
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) return overflow(rt);
  }
  return Value::of(result, untrusted);
}

Value integers(Runtime& rt, std::string_view op, int64_t a, int64_t b, bool untrusted) {
  int64_t result = 0;
  if (op == "+") {
    if (__builtin_add_overflow(a, b, &result)) return overflow(rt);
  } else if (op == "-") {
    if (__builtin_sub_overflow(a, b, &result)) return overflow(rt);
  } else if (op == "*") {
    if (__builtin_mul_overflow(a, b, &result)) return overflow(rt);
  } else if (op == "**") {
    return power(rt, a, b, untrusted);
  } else if (b == 0) {
    return rt.fail(op == "/" ? "division by zero" : "integer division or modulo by zero");
  } else if (op == "/") {
    return Value::of(static_cast<double>(a) / static_cast<double>(b), untrusted);
  } else if (b == -1) {  // the one division that can overflow
    if (op == "%") return Value::of(int64_t{0}, untrusted);
    if (__builtin_sub_overflow(int64_t{0}, a, &result)) return overflow(rt);
  } else {
    const int64_t remainder = a % b;
    const bool floor_lower = remainder != 0 && (remainder < 0) != (b < 0);
    result = op == "%" ? remainder + (floor_lower ? b : 0) : a / b - (floor_lower ? 1 : 0);
  }
  return Value::of(result, untrusted);
}

Value reals(Runtime& rt, std::string_view op, double a, double b, bool untrusted) {
  if (op == "+") return Value::of(a + b, untrusted);
  if (op == "-") return Value::of(a - b, untrusted);
  if (op == "*") return Value::of(a * b, untrusted);
  if (op == "**") {
    if (a < 0 && std::floor(b) != b) return rt.fail("complex numbers are not supported");
    if (a == 0 && b < 0) return rt.fail("0.0 cannot be raised to a negative power");
    const double result = std::pow(a, b);
    if (std::isinf(result) && std::isfinite(a) && std::isfinite(b))
      return rt.fail("the result of ** is too large");
    return Value::of(result, untrusted);
  }
  if (b == 0) {
    if (op == "/") return rt.fail("float division by zero");
    return rt.fail(op == "%" ? "float modulo" : "float floor division by zero");
  }
  if (op == "/") return Value::of(a / b, untrusted);
  double remainder = std::fmod(a, b);
  double quotient = (a - remainder) / b;
  if (remainder != 0 && (remainder < 0) != (b < 0)) {
    remainder += b;
    quotient -= 1;
  } else if (remainder == 0) {
    remainder = std::copysign(0.0, b);
  }
  if (op == "%") return Value::of(remainder, untrusted);
  double floored = quotient != 0 ? std::floor(quotient) : std::copysign(0.0, a / b);
  if (quotient - floored > 0.5) floored += 1;
  return Value::of(floored, untrusted);
}

Value add_texts(Runtime& rt, const Text& a, const Text& b) {
  const bool markup = a.markup || b.markup;
  TextBuilder right;
  auto escaped = [&](const Text& part) -> const Text* {
    if (!markup || part.markup) return &part;
    const Value safe = escape_html(rt, part);
    return rt.failed() ? nullptr : safe.text;
  };
  const Text* left = escaped(a);
  const Text* added = escaped(b);
  if (left == nullptr || added == nullptr || !rt.spend_bytes(added->bytes.size())) return {};
  right.append(*added);
  const Value sum = rt.concatenate(*left, right);
  if (!markup || rt.failed()) return sum;
  Text marked = *sum.text;
  marked.markup = true;
  return rt.text(std::move(marked));
}

Value repeat(Runtime& rt, const Value& value, int64_t times) {
  const auto count = static_cast<size_t>(std::max<int64_t>(times, 0));
  const size_t size = value.is_text() ? value.text->bytes.size() : value.sequence->items.size();
  size_t total = 0;
  if (__builtin_mul_overflow(size, count, &total) || total > rt.limits.max_output_bytes)
    return rt.fail_too_large(fmt::format("repeating {} items {} times is too much", size, times));
  if (value.is_text()) {
    if (!rt.spend_bytes(total) || !rt.spend(size == 0 ? 0 : count / 4)) return {};
    TextBuilder out;
    for (size_t i = 0; i < count && size > 0; ++i) out.append(*value.text);
    return rt.text(std::move(out));
  }
  if (!rt.spend(total)) return {};
  std::vector<Value> items;
  items.reserve(total);
  for (size_t i = 0; i < count && size > 0; ++i)
    items.insert(items.end(), value.sequence->items.begin(), value.sequence->items.end());
  return rt.sequence(value.kind, std::move(items), value.untrusted);
}

// Start, stop and step of a slice over `size` items, as Python adjusts them.
struct Bounds {
  int64_t start;
  int64_t stop;
  int64_t step;
};

int64_t clamp_index(const Value& index, int64_t fallback, int64_t size, int64_t lowest,
                    int64_t highest) {
  if (!index.is_integer()) return fallback;
  int64_t at = index.as_integer();
  if (at < 0) at = at < -size ? lowest : at + size;
  return std::clamp(at, lowest, highest);
}

std::optional<Bounds> slice_bounds(Runtime& rt, const Value& start, const Value& stop,
                                   const Value& step, int64_t size) {
  for (const Value* part : {&start, &stop, &step}) {
    if (part->is_integer() || part->is(Kind::kNone)) continue;
    rt.fail("slice indices must be integers or None or have an __index__ method");
    return std::nullopt;
  }
  const int64_t stride = step.is_integer() ? step.as_integer() : 1;
  if (stride == 0) {
    rt.fail("slice step cannot be zero");
    return std::nullopt;
  }
  const int64_t lowest = stride < 0 ? -1 : 0;
  const int64_t highest = stride < 0 ? size - 1 : size;
  return Bounds{clamp_index(start, stride < 0 ? highest : lowest, size, lowest, highest),
                clamp_index(stop, stride < 0 ? lowest : highest, size, lowest, highest), stride};
}

Value slice_text(Runtime& rt, const Text& text, const Value& start, const Value& stop,
                 const Value& step) {
  if (!rt.spend(1 + text.bytes.size() / 16)) return {};
  const auto size = static_cast<int64_t>(utf8::count(text.bytes));
  const auto bounds = slice_bounds(rt, start, stop, step, size);
  if (!bounds) return {};
  const bool ascii = size == static_cast<int64_t>(text.bytes.size());
  std::vector<size_t> offsets;  // of each character and of the end, unless they are the indices
  if (!ascii) {
    for (size_t at = 0; at < text.bytes.size();) {
      offsets.push_back(at);
      at += static_cast<size_t>(utf8::decode(text.bytes.substr(at)).length);
    }
    offsets.push_back(text.bytes.size());
  }
  auto offset = [&](int64_t index) {
    return ascii ? static_cast<size_t>(index) : offsets[static_cast<size_t>(index)];
  };
  if (bounds->step == 1)
    return rt.slice(text, offset(bounds->start), offset(std::max(bounds->start, bounds->stop)));
  TextBuilder out;
  const auto [first, last, stride] = *bounds;
  for (int64_t i = first; stride > 0 ? i < last : i > last;) {
    out.append(text, offset(i), offset(i + 1));
    if (__builtin_add_overflow(i, stride, &i)) break;
  }
  return rt.text(std::move(out));
}

Value text_at(Runtime& rt, const Value& owner, int64_t index) {
  const Text& text = *owner.text;
  if (!rt.spend(1 + text.bytes.size() / 32)) return {};
  if (index < 0) {
    if (index == -1 && !text.bytes.empty()) {  // the last character is near
      size_t at = text.bytes.size() - 1;
      while (at > 0 && (static_cast<unsigned char>(text.bytes[at]) & 0xC0U) == 0x80 &&
             text.bytes.size() - at < 4)
        --at;
      return rt.slice(text, at, text.bytes.size());
    }
    index += static_cast<int64_t>(utf8::count(text.bytes));
  }
  size_t at = 0;
  for (int64_t i = 0; index >= 0 && at < text.bytes.size(); ++i) {
    const auto length = static_cast<size_t>(utf8::decode(text.bytes.substr(at)).length);
    if (i == index) return rt.slice(text, at, at + length);
    at += length;
  }
  return rt.undefined(fmt::format("{} has no element {}", object_name(owner), index));
}

}  // namespace

Value arithmetic(Runtime& rt, std::string_view op, const Value& a, const Value& b) {
  if (a.is_undefined() || b.is_undefined()) return rt.fail_undefined(a.is_undefined() ? a : b);
  if (a.is_number() && b.is_number()) {
    const bool untrusted = a.untrusted || b.untrusted;
    if (a.is_integer() && b.is_integer())
      return integers(rt, op, a.as_integer(), b.as_integer(), untrusted);
    return reals(rt, op, a.as_real(), b.as_real(), untrusted);
  }
  if (op == "+") {
    if (a.is_text() && b.is_text()) return add_texts(rt, *a.text, *b.text);
    if (a.kind == b.kind && (a.is(Kind::kList) || a.is(Kind::kTuple))) {
      std::vector<Value> items = a.sequence->items;
      items.insert(items.end(), b.sequence->items.begin(), b.sequence->items.end());
      return rt.sequence(a.kind, std::move(items), a.untrusted || b.untrusted);
    }
    if (a.is_text())
      return rt.fail(fmt::format("can only concatenate str (not \"{}\") to str", type_name(b)));
    if (a.is(Kind::kList) || a.is(Kind::kTuple))
      return rt.fail(
          fmt::format("can only concatenate {0} (not \"{1}\") to {0}", type_name(a), type_name(b)));
  }
  if (op == "*") {
    auto repeatable = [](const Value& v) {
      return v.is_text() || v.is(Kind::kList) || v.is(Kind::kTuple);
    };
    if (repeatable(a) && b.is_integer()) return repeat(rt, a, b.as_integer());
    if (a.is_integer() && repeatable(b)) return repeat(rt, b, a.as_integer());
  }
  return unsupported(rt, op, a, b);
}

Value get_attribute(Runtime& rt, const Value& owner, std::string_view name) {
  if (owner.is_undefined()) {
    if (rt.options.undefined == UndefinedPolicy::kChainable) return owner;
    return rt.fail_undefined(owner);
  }
  if (owner.is(Kind::kDict) || owner.is(Kind::kNamespace))
    if (const Value* found = owner.dict->find(name)) return *found;
  return rt.missing_attribute(owner, name);
}

Value get_item(Runtime& rt, const Value& owner, const Value& index) {
  if (owner.is_undefined()) {
    if (rt.options.undefined == UndefinedPolicy::kChainable) return owner;
    return rt.fail_undefined(owner);
  }
  if (owner.is(Kind::kDict) && hashable(index))
    if (const Value* found = owner.dict->find(index)) return *found;
  if (index.is_integer() && owner.is_text()) return text_at(rt, owner, index.as_integer());
  if (index.is_integer() && owner.is_indexed()) {
    const auto size = static_cast<int64_t>(owner.sequence->items.size());
    int64_t at = index.as_integer();
    if (at < 0) at += size;
    if (at >= 0 && at < size) return owner.sequence->items[static_cast<size_t>(at)];
  }
  if (index.is_text()) return rt.missing_attribute(owner, index.text->bytes);
  TextBuilder shown;
  print_repr(rt, shown, index);
  return rt.undefined(fmt::format("{} has no element {}", object_name(owner), shown.bytes()));
}

Value get_slice(Runtime& rt, const Value& owner, const Value& start, const Value& stop,
                const Value& step) {
  if (owner.is_undefined()) return rt.fail_undefined(owner);
  if (owner.is_text()) return slice_text(rt, *owner.text, start, stop, step);
  if (owner.is(Kind::kDict)) return rt.fail("unhashable type: 'slice'");
  if (!owner.is_indexed())
    return rt.fail(fmt::format("'{}' object is not subscriptable", type_name(owner)));
  const auto& items = owner.sequence->items;
  const auto bounds = slice_bounds(rt, start, stop, step, static_cast<int64_t>(items.size()));
  if (!bounds) return {};
  const auto [first, last, stride] = *bounds;
  std::vector<Value> part;
  for (int64_t i = first; stride > 0 ? i < last : i > last;) {
    part.push_back(items[static_cast<size_t>(i)]);
    if (__builtin_add_overflow(i, stride, &i)) break;
  }
  Value made = rt.sequence(owner.kind, std::move(part), owner.untrusted);
  if (!owner.is(Kind::kRange) || rt.failed()) return made;
  const auto& whole = owner.sequence->range;  // at most 100,000 steps: nothing overflows
  made.sequence->range = {whole[0] + first * whole[2], whole[0] + last * whole[2],
                          whole[2] * std::clamp<int64_t>(stride, -(1 << 20), 1 << 20)};
  return made;
}

}  // namespace aictl::jinja
