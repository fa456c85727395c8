// Methods of str.
#include "core/base/utf8.hpp"
#include "core/template/builtin/builtin.hpp"
#include "core/template/value/unicode.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>

namespace aictl::jinja {
namespace {

template <CaseChange change>
Value method_case(Call& call) {
  return change_case(call.rt, *call.self.text, change);
}

Value method_strip(Call& call) { return strip(call, true, true); }
Value method_lstrip(Call& call) { return strip(call, true, false); }
Value method_rstrip(Call& call) { return strip(call, false, true); }

Value split_at(Call& call, std::string_view separator, int64_t limit, bool from_right) {
  const Text& text = *call.self.text;
  std::vector<std::pair<size_t, size_t>> parts;
  size_t begin = 0;
  size_t end = text.bytes.size();
  for (int64_t done = 0; (limit < 0 || done < limit) && call.rt.spend(); ++done) {
    if (from_right) {
      if (end < separator.size()) break;
      const size_t found = text.bytes.substr(0, end).rfind(separator);
      if (found == std::string_view::npos) break;
      parts.emplace_back(found + separator.size(), end);
      end = found;
    } else {
      const size_t found = text.bytes.find(separator, begin);
      if (found == std::string_view::npos) break;
      parts.emplace_back(begin, found);
      begin = found + separator.size();
    }
  }
  parts.emplace_back(begin, end);
  if (from_right) std::reverse(parts.begin(), parts.end());
  std::vector<Value> pieces;
  for (const auto& [from, to] : parts) pieces.push_back(call.rt.slice(text, from, to));
  return call.rt.list(std::move(pieces), text.has_untrusted());
}

// Without a separator: runs of blanks separate, and none stand at the ends.
Value split_at_space(Call& call, int64_t limit, bool from_right) {
  const Text& text = *call.self.text;
  std::vector<std::pair<size_t, size_t>> words;
  size_t at = unicode::leading_space(text.bytes);
  const size_t end = text.bytes.size() - unicode::trailing_space(text.bytes.substr(at));
  const size_t first = at;
  while (at < end && call.rt.spend()) {
    const size_t start = at;
    while (at < end) {
      const utf8::Step step = utf8::decode(text.bytes.substr(at));
      if (unicode::is_space(step.code_point)) break;
      at += static_cast<size_t>(step.length);
    }
    words.emplace_back(start, at);
    at += unicode::leading_space(text.bytes.substr(at, end - at));
  }
  const auto most = static_cast<size_t>(std::max<int64_t>(limit, 0));
  if (limit >= 0 && words.size() > most + 1) {  // what is left stays one piece, ends as they were
    if (from_right) {
      const size_t cut = words.size() - most - 1;
      words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(cut));
      words.front().first = 0;
    } else {
      words.resize(most + 1);
    }
  }
  if (limit >= 0 && !words.empty() && words.size() == most + 1) {
    if (from_right)
      words.front().first = most == 0 || words.front().first == first ? 0 : words.front().first;
    else
      words.back().second = text.bytes.size();
  }
  std::vector<Value> pieces;
  for (const auto& [from, to] : words) pieces.push_back(call.rt.slice(text, from, to));
  return call.rt.list(std::move(pieces), text.has_untrusted());
}

Value split(Call& call, bool from_right) {
  const int64_t limit = call.integer(1, -1);
  if (!call.rt.spend(call.self.text->bytes.size() / 16)) return {};
  if (!call.given_some(0)) return split_at_space(call, limit, from_right);
  const Text* separator = call.text(0);
  if (separator == nullptr) return {};
  if (separator->bytes.empty()) return call.rt.fail("empty separator");
  return split_at(call, separator->bytes, limit, from_right);
}

Value method_split(Call& call) { return split(call, false); }
Value method_rsplit(Call& call) { return split(call, true); }

Value method_splitlines(Call& call) {
  return call.rt.list(split_lines(call.rt, *call.self.text), call.self.text->has_untrusted());
}

// startswith and endswith take one text or a tuple of them.
Value has_edge(Call& call, bool at_start) {
  const std::string_view bytes = call.self.text->bytes;
  auto matches = [&](const Value& edge) {
    if (!edge.is_text()) {
      call.rt.fail(fmt::format("{} first arg must be str or a tuple of str, not {}",
                               at_start ? "startswith" : "endswith", type_name(edge)));
      return false;
    }
    return at_start ? bytes.starts_with(edge.text->bytes) : bytes.ends_with(edge.text->bytes);
  };
  if (!call.at(0).is(Kind::kTuple)) return Value::of(matches(call.at(0)));
  for (const Value& edge : call.at(0).sequence->items)
    if (matches(edge)) return Value::of(true);
  return Value::of(false);
}

Value method_startswith(Call& call) { return has_edge(call, true); }
Value method_endswith(Call& call) { return has_edge(call, false); }

Value method_replace(Call& call) {
  const Text* from = call.text(0);
  const Text* to = call.text(1);
  const int64_t limit = call.integer(2, -1);
  if (from == nullptr || to == nullptr) return {};
  return replace(call.rt, *call.self.text, *from, *to, limit);
}

Value find_in(Call& call, bool from_right, bool required) {
  const Text* part = call.text(0);
  if (part == nullptr || !call.rt.spend(call.self.text->bytes.size() / 16)) return {};
  const Value within = get_slice(call.rt, call.self, call.has(1) ? call.at(1) : Value::none(),
                                 call.has(2) ? call.at(2) : Value::none(), Value::none());
  if (call.rt.failed()) return {};
  const std::string_view bytes = within.text->bytes;
  const size_t found = from_right ? bytes.rfind(part->bytes) : bytes.find(part->bytes);
  if (found == std::string_view::npos) {
    if (required) return call.rt.fail("substring not found");
    return Value::of(int64_t{-1});
  }
  const auto skipped = static_cast<size_t>(bytes.data() - call.self.text->bytes.data());
  return Value::of(
      static_cast<int64_t>(utf8::count(call.self.text->bytes.substr(0, skipped + found))),
      call.self.text->has_untrusted());
}

Value method_find(Call& call) { return find_in(call, false, false); }
Value method_rfind(Call& call) { return find_in(call, true, false); }
Value method_index(Call& call) { return find_in(call, false, true); }

Value method_count(Call& call) {
  const Text* part = call.text(0);
  const Text& text = *call.self.text;
  if (part == nullptr || !call.rt.spend(text.bytes.size() / 16)) return {};
  if (part->bytes.empty()) return Value::of(static_cast<int64_t>(utf8::count(text.bytes)) + 1);
  int64_t count = 0;
  for (size_t at = text.bytes.find(part->bytes); at != std::string_view::npos;
       at = text.bytes.find(part->bytes, at + part->bytes.size()))
    ++count;
  return Value::of(count, text.has_untrusted());
}

Value method_join(Call& call) {
  std::vector<Value> storage;
  const auto* all = items_of(call.rt, call.at(0), storage);
  for (size_t i = 0; all != nullptr && i < all->size(); ++i)
    if (!(*all)[i].is_text())
      return call.rt.fail(fmt::format("sequence item {}: expected str instance, {} found", i,
                                      type_name((*all)[i])));
  return all == nullptr ? Value{} : join(call.rt, *all, *call.self.text);
}

// isdigit and its kin: the text is not empty and all its characters are such.
Value all_are(Call& call, bool (*accepted)(char32_t)) {
  const std::string_view bytes = call.self.text->bytes;
  if (!call.rt.spend(bytes.size() / 16)) return {};
  for (size_t at = 0; at < bytes.size();) {
    const utf8::Step step = utf8::decode(bytes.substr(at));
    if (!accepted(step.code_point)) return Value::of(false);
    at += static_cast<size_t>(step.length);
  }
  return Value::of(!bytes.empty());
}

Value method_isdigit(Call& call) { return all_are(call, unicode::is_digit); }
Value method_isalpha(Call& call) { return all_are(call, unicode::is_alpha); }
Value method_isspace(Call& call) { return all_are(call, unicode::is_space); }
Value method_isalnum(Call& call) {
  return all_are(call, [](char32_t c) { return unicode::is_alpha(c) || unicode::is_digit(c); });
}
Value method_isupper(Call& call) { return invoke(call.rt, *find_test("upper"), call.self, {}); }
Value method_islower(Call& call) { return invoke(call.rt, *find_test("lower"), call.self, {}); }

// ljust, rjust, center, zfill: the missing width goes left, right, or to both sides.
Value pad(Call& call, bool left, bool right, std::string_view fill) {
  const int64_t width = call.integer(0, 0);
  if (call.has(1)) {
    const Text* given = call.text(1);
    if (given == nullptr) return {};
    if (utf8::count(given->bytes) != 1)
      return call.rt.fail("The fill character must be exactly one character long");
    fill = given->bytes;
  }
  const Text& text = *call.self.text;
  const auto size = static_cast<int64_t>(utf8::count(text.bytes));
  if (width <= size || call.rt.failed()) return call.self;
  if (width > (int64_t{1} << 40) ||
      !call.rt.spend_bytes(text.bytes.size() + static_cast<size_t>(width) * fill.size()))
    return call.rt.fail_too_large("the padded text is too long");
  const int64_t padding = width - size;
  const int64_t before = !left ? 0 : !right ? padding : padding / 2 + (padding & width & 1);
  TextBuilder out;
  for (int64_t i = 0; i < before; ++i) out.append(fill, true);
  out.append(text);
  for (int64_t i = before; i < padding; ++i) out.append(fill, true);
  return call.rt.text(std::move(out));
}

Value method_ljust(Call& call) { return pad(call, false, true, " "); }
Value method_rjust(Call& call) { return pad(call, true, false, " "); }
Value method_center(Call& call) { return pad(call, true, true, " "); }

Value method_zfill(Call& call) {
  const Text& text = *call.self.text;
  if (!text.bytes.starts_with('-') && !text.bytes.starts_with('+'))
    return pad(call, true, false, "0");
  const Value sign = call.rt.slice(text, 0, 1);
  const Value digits = call.rt.slice(text, 1, text.bytes.size());
  if (call.rt.failed()) return {};
  Call inner{call.rt, digits, call.given, call.values, call.bound};
  inner.values[0] = Value::of(std::max<int64_t>(call.integer(0, 0), 1) - 1);
  const Value padded = pad(inner, true, false, "0");
  return call.rt.failed() ? Value{} : arithmetic(call.rt, "+", sign, padded);
}

Value method_removeprefix(Call& call) {
  const Text* edge = call.text(0);
  const Text& text = *call.self.text;
  if (edge == nullptr || !text.bytes.starts_with(edge->bytes)) return call.self;
  return call.rt.slice(text, edge->bytes.size(), text.bytes.size());
}

Value method_removesuffix(Call& call) {
  const Text* edge = call.text(0);
  const Text& text = *call.self.text;
  if (edge == nullptr || !text.bytes.ends_with(edge->bytes)) return call.self;
  return call.rt.slice(text, 0, text.bytes.size() - edge->bytes.size());
}

Value partition(Call& call, bool from_right) {
  const Text* separator = call.text(0);
  const Text& text = *call.self.text;
  if (separator == nullptr || !call.rt.spend(text.bytes.size() / 16)) return {};
  if (separator->bytes.empty()) return call.rt.fail("empty separator");
  const size_t found =
      from_right ? text.bytes.rfind(separator->bytes) : text.bytes.find(separator->bytes);
  const Value none = call.rt.literal("");
  if (found == std::string_view::npos)
    return call.rt.sequence(Kind::kTuple, from_right ? std::vector<Value>{none, none, call.self}
                                                     : std::vector<Value>{call.self, none, none});
  const size_t after = found + separator->bytes.size();
  return call.rt.sequence(Kind::kTuple,
                          {call.rt.slice(text, 0, found), call.rt.slice(text, found, after),
                           call.rt.slice(text, after, text.bytes.size())});
}

Value method_partition(Call& call) { return partition(call, false); }
Value method_rpartition(Call& call) { return partition(call, true); }

constexpr Builtin kMethods[] = {
    {"upper", method_case<CaseChange::kUpper>, ""},
    {"lower", method_case<CaseChange::kLower>, ""},
    {"casefold", method_case<CaseChange::kLower>, ""},
    {"capitalize", method_case<CaseChange::kCapitalize>, ""},
    {"swapcase", method_case<CaseChange::kSwap>, ""},
    {"title", method_case<CaseChange::kTitle>, ""},
    {"strip", method_strip, "chars"},
    {"lstrip", method_lstrip, "chars"},
    {"rstrip", method_rstrip, "chars"},
    {"split", method_split, "sep maxsplit"},
    {"rsplit", method_rsplit, "sep maxsplit"},
    {"splitlines", method_splitlines, ""},
    {"startswith", method_startswith, "prefix", 1},
    {"endswith", method_endswith, "suffix", 1},
    {"replace", method_replace, "old new count", 2},
    {"find", method_find, "sub start end", 1},
    {"rfind", method_rfind, "sub start end", 1},
    {"index", method_index, "sub start end", 1},
    {"count", method_count, "sub", 1},
    {"join", method_join, "iterable", 1},
    {"isdigit", method_isdigit, ""},
    {"isdecimal", method_isdigit, ""},
    {"isnumeric", method_isdigit, ""},
    {"isalpha", method_isalpha, ""},
    {"isalnum", method_isalnum, ""},
    {"isspace", method_isspace, ""},
    {"isupper", method_isupper, ""},
    {"islower", method_islower, ""},
    {"ljust", method_ljust, "width fillchar", 1},
    {"rjust", method_rjust, "width fillchar", 1},
    {"center", method_center, "width fillchar", 1},
    {"zfill", method_zfill, "width", 1},
    {"removeprefix", method_removeprefix, "prefix", 1},
    {"removesuffix", method_removesuffix, "suffix", 1},
    {"partition", method_partition, "sep", 1},
    {"rpartition", method_rpartition, "sep", 1},
    {"format", nullptr, ""},
    {"encode", nullptr, ""},
};

}  // namespace

std::pair<const Builtin*, size_t> text_methods() { return {kMethods, std::size(kMethods)}; }

}  // namespace aictl::jinja
