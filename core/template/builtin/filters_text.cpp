// Filters whose value is a text, and those that make texts of anything.
#include "core/base/utf8.hpp"
#include "core/template/builtin/builtin.hpp"
#include "core/template/value/unicode.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>

namespace aictl::jinja {
namespace {

// The filtered value as a text: what soft conversion makes of it.
Value text_of(Call& call) { return to_text(call.rt, call.self); }

template <CaseChange change>
Value filter_case(Call& call) {
  const Value text = text_of(call);
  return call.rt.failed() ? Value{} : change_case(call.rt, *text.text, change);
}

Value filter_trim(Call& call) {
  const Value text = text_of(call);
  if (call.rt.failed()) return {};
  Call inner{call.rt, text, call.given, call.values, call.bound};
  return strip(inner, true, true);
}

Value filter_replace(Call& call) {
  const Value text = text_of(call);
  const Value from = to_text(call.rt, call.at(0));
  const Value to = to_text(call.rt, call.at(1));
  const int64_t limit = call.integer(2, -1);
  if (call.rt.failed()) return {};
  return replace(call.rt, *text.text, *from.text, *to.text, limit);
}

Value filter_indent(Call& call) {
  if (!call.self.is_text())
    return call.rt.fail(
        fmt::format("unsupported operand type(s) for +=: '{}' and 'str'", type_name(call.self)));
  Text indention{" "};
  std::string spaces;
  if (call.has(0) && call.at(0).is_text()) {
    indention = *call.at(0).text;
  } else {
    const int64_t width = call.integer(0, 4);
    if (width > 10'000) return call.rt.fail_too_large(fmt::format("indent({}) is too wide", width));
    spaces.assign(static_cast<size_t>(std::max<int64_t>(width, 0)), ' ');
    indention.bytes = spaces;
  }
  const std::vector<Value> lines = split_lines(call.rt, *call.self.text);
  TextBuilder out;
  if (call.flag(1)) out.append(indention);
  const bool blank = call.flag(2);
  for (size_t i = 0; i < lines.size(); ++i) {
    if (call.rt.failed() || !call.rt.spend(1 + indention.bytes.size() / 32)) return {};
    const Text& line = *lines[i].text;
    if (i > 0) out.append("\n", true);
    if (i > 0 && (blank || !line.bytes.empty())) out.append(indention);
    out.append(line);
    if (out.size() > call.rt.limits.max_output_bytes) break;  // refused below
  }
  if (!lines.empty() || call.self.text->bytes.empty()) {
    const std::string_view bytes = call.self.text->bytes;
    const bool ended =
        !bytes.empty() &&
        unicode::is_line_end(utf8::decode(bytes.substr(unicode::last_character(bytes))).code_point);
    if (ended) out.append("\n", true);
    if (ended && blank) out.append(indention);
  }
  return call.rt.text(std::move(out));
}

Value filter_string(Call& call) { return text_of(call); }

Value filter_safe(Call& call) {
  const Value text = text_of(call);
  if (call.rt.failed()) return {};
  Text marked = *text.text;
  marked.markup = true;
  return call.rt.text(std::move(marked));
}

Value filter_escape(Call& call) {
  const Value text = text_of(call);
  if (call.rt.failed() || text.text->markup) return text;
  const Value escaped = escape_html(call.rt, *text.text);
  if (call.rt.failed()) return {};
  Text marked = *escaped.text;
  marked.markup = true;
  return call.rt.text(std::move(marked));
}

Value filter_wordcount(Call& call) {
  const Value text = text_of(call);
  if (call.rt.failed() || !call.rt.spend(text.text->bytes.size() / 16)) return {};
  int64_t words = 0;
  bool inside = false;
  for (size_t at = 0; at < text.text->bytes.size();) {
    const utf8::Step step = utf8::decode(text.text->bytes.substr(at));
    const bool letter = unicode::is_alpha(step.code_point) || unicode::is_digit(step.code_point) ||
                        step.code_point == '_';
    if (letter && !inside) ++words;
    inside = letter;
    at += static_cast<size_t>(step.length);
  }
  return Value::of(words, text.text->has_untrusted());
}

Value filter_center(Call& call) {
  const Value text = text_of(call);
  const int64_t width = call.integer(0, 80);
  if (call.rt.failed()) return {};
  const auto size = static_cast<int64_t>(utf8::count(text.text->bytes));
  if (width <= size) return text;
  if (!call.rt.spend_bytes(static_cast<size_t>(width))) return {};
  const int64_t padding = width - size;
  const int64_t left = padding / 2 + (padding & width & 1);
  TextBuilder out;
  out.append(std::string(static_cast<size_t>(left), ' '), true);
  out.append(*text.text);
  out.append(std::string(static_cast<size_t>(padding - left), ' '), true);
  return call.rt.text(std::move(out));
}

Value filter_truncate(Call& call) {
  const Value& text = call.self;
  const int64_t length = call.integer(0, 255);
  const int64_t leeway = call.integer(3, 5);
  static const Text kDots{"..."};
  const Text* end = call.given_some(2) ? call.text(2) : &kDots;
  if (call.rt.failed()) return {};
  const auto counted = length_of(call.rt, text);
  if (!counted) return {};
  const int64_t size = *counted;
  const auto tail = static_cast<int64_t>(utf8::count(end->bytes));
  if (length < tail)
    return call.rt.fail(fmt::format("expected length >= {}, got {}", tail, length));
  if (leeway < 0) return call.rt.fail(fmt::format("expected leeway >= 0, got {}", leeway));
  if (size - leeway <= length) return text;
  if (!text.is_text()) return call.rt.fail(fmt::format("cannot truncate '{}'", type_name(text)));
  Value cut = get_slice(call.rt, text, Value::none(), Value::of(length - tail), Value::none());
  if (call.rt.failed()) return {};
  size_t keep = cut.text->bytes.size();
  if (!call.flag(1)) keep = std::min(keep, cut.text->bytes.rfind(' '));
  TextBuilder out;
  out.append(*cut.text, 0, keep);
  out.append(*end);
  return call.rt.text(std::move(out));
}

Value filter_format(Call& call) {
  const Value text = text_of(call);
  if (call.rt.failed()) return {};
  if (!call.given.named.empty()) return call.rt.fail("format() takes no named arguments here");
  return format_text(call.rt, *text.text, call.given.positional);
}

// indent: a number of blanks or a text; separators: a pair; both as json.dumps takes them.
Value filter_tojson(Call& call) {
  JsonStyle style;
  style.ensure_ascii = call.flag(0);
  style.sort_keys = call.flag(3);
  if (call.given_some(1)) {
    if (call.at(1).is_text()) {
      style.indent = std::string(call.at(1).text->bytes);
    } else {
      const int64_t width = call.integer(1, 0);
      if (width > 1000) return call.rt.fail_too_large(fmt::format("indent={} is too wide", width));
      style.indent = std::string(static_cast<size_t>(std::max<int64_t>(width, 0)), ' ');
    }
    style.item_separator = ",";
  }
  if (call.given_some(2)) {
    const Value& pair = call.at(2);
    if (!pair.is_indexed() || pair.sequence->items.size() != 2 ||
        !pair.sequence->items[0].is_text() || !pair.sequence->items[1].is_text())
      return call.rt.fail("separators must be a pair of strings");
    style.item_separator = pair.sequence->items[0].text->bytes;
    style.key_separator = pair.sequence->items[1].text->bytes;
  }
  TextBuilder out;
  print_json(call.rt, out, call.self, style);
  return call.rt.failed() ? Value{} : call.rt.text(std::move(out));
}

Value filter_from_json(Call& call) {
  if (!call.self.is_text())
    return call.rt.fail(fmt::format("from_json needs a string, not '{}'", type_name(call.self)));
  if (!call.rt.spend_bytes(call.self.text->bytes.size())) return {};
  Result<Json> tree = parse_json(call.self.text->bytes);
  if (!tree) return call.rt.fail("from_json: " + tree.error().message);
  return call.rt.from_json(call.rt.keep(std::move(*tree)), call.self.text->has_untrusted());
}

constexpr Builtin kFilters[] = {
    {"upper", filter_case<CaseChange::kUpper>, ""},
    {"lower", filter_case<CaseChange::kLower>, ""},
    {"capitalize", filter_case<CaseChange::kCapitalize>, ""},
    {"title", filter_case<CaseChange::kTitleWords>, ""},
    {"trim", filter_trim, "chars"},
    {"replace", filter_replace, "old new count", 2},
    {"indent", filter_indent, "width first blank"},
    {"string", filter_string, ""},
    {"safe", filter_safe, ""},
    {"escape", filter_escape, ""},
    {"e", filter_escape, ""},
    {"wordcount", filter_wordcount, ""},
    {"center", filter_center, "width"},
    {"truncate", filter_truncate, "length killwords end leeway"},
    {"format", filter_format, "*"},
    {"tojson", filter_tojson, "ensure_ascii indent separators sort_keys"},
    {"from_json", filter_from_json, ""},
};

}  // namespace

std::pair<const Builtin*, size_t> text_filters() { return {kFilters, std::size(kFilters)}; }

}  // namespace aictl::jinja
