// How Python writes values: str(), repr(), json.dumps. What comes out of a user's data is marked
// as theirs, the punctuation around it too.
#include "core/template/value/operations.hpp"

#include "core/base/utf8.hpp"
#include "core/template/value/unicode.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace aictl::jinja {
namespace {

void append_escape(TextBuilder& out, char32_t c, bool trusted) {
  if (c < 0x100)
    out.append(fmt::format("\\x{:02x}", static_cast<uint32_t>(c)), trusted);
  else if (c < 0x10000)
    out.append(fmt::format("\\u{:04x}", static_cast<uint32_t>(c)), trusted);
  else
    out.append(fmt::format("\\U{:08x}", static_cast<uint32_t>(c)), trusted);
}

void print_text_repr(TextBuilder& out, const Text& text) {
  const std::string_view bytes = text.bytes;
  const bool doubled =
      bytes.find('\'') != std::string_view::npos && bytes.find('"') == std::string_view::npos;
  const char quote = doubled ? '"' : '\'';
  const bool edge = !text.has_untrusted();
  OriginCursor origin(text);
  out.append({&quote, 1}, edge);
  for (size_t at = 0; at < bytes.size();) {
    const utf8::Step step = utf8::decode(bytes.substr(at));
    const bool trusted = origin.trusted_at(at);
    const char32_t c = step.code_point;
    if (c == '\n')
      out.append("\\n", trusted);
    else if (c == '\r')
      out.append("\\r", trusted);
    else if (c == '\t')
      out.append("\\t", trusted);
    else if (c == '\\' || c == static_cast<char32_t>(quote))
      out.append(c == '\\' ? "\\\\" : "\\'", trusted);
    else if (step.valid && !unicode::is_printable(c))
      append_escape(out, c, trusted);
    else
      out.append(bytes.substr(at, static_cast<size_t>(step.length)), trusted);
    at += static_cast<size_t>(step.length);
  }
  out.append({&quote, 1}, edge);
}

void print_items(Runtime& rt, TextBuilder& out, const Value& value, std::string_view open,
                 std::string_view close, int depth) {
  out.append(open, !value.untrusted);
  const auto& items = value.sequence->items;
  for (size_t i = 0; i < items.size() && !rt.failed(); ++i) {
    if (i > 0) out.append(", ", !value.untrusted);
    print_repr(rt, out, items[i], depth + 1);
  }
  if (value.is(Kind::kTuple) && items.size() == 1) out.append(",", !value.untrusted);
  out.append(close, !value.untrusted);
}

void print_dict(Runtime& rt, TextBuilder& out, const Value& value, int depth) {
  if (value.is(Kind::kNamespace)) out.append("<Namespace ", true);
  out.append("{", !value.untrusted);
  bool first = true;
  for (const auto& [key, entry] : value.dict->entries) {
    if (rt.failed()) return;
    if (!first) out.append(", ", !value.untrusted);
    first = false;
    print_repr(rt, out, key, depth + 1);
    out.append(": ", !value.untrusted);
    print_repr(rt, out, entry, depth + 1);
  }
  out.append("}", !value.untrusted);
  if (value.is(Kind::kNamespace)) out.append(">", true);
}

void print_range(TextBuilder& out, const Value& value) {
  const auto [start, stop, step] = value.sequence->range;
  const std::string text = step == 1 ? fmt::format("range({}, {})", start, stop)
                                     : fmt::format("range({}, {}, {})", start, stop, step);
  out.append(text, !value.untrusted);
}

void print_json_text(TextBuilder& out, const Text& text, bool ensure_ascii) {
  const bool edge = !text.has_untrusted();
  OriginCursor origin(text);
  out.append("\"", edge);
  size_t plain = 0;  // start of what needs no escape
  for (size_t at = 0; at < text.bytes.size();) {
    const auto byte = static_cast<unsigned char>(text.bytes[at]);
    if (byte >= 0x20 && byte != '"' && byte != '\\' && !(ensure_ascii && byte >= 0x7F)) {
      ++at;
      continue;
    }
    out.append(text, plain, at);
    const utf8::Step step = utf8::decode(text.bytes.substr(at));
    const bool trusted = origin.trusted_at(at);
    static constexpr std::string_view kShort = "\"\\\n\r\t\f\b";
    static constexpr std::string_view kLetter = "\"\\nrtfb";
    if (const size_t known = kShort.find(text.bytes[at]); known != std::string_view::npos) {
      out.append(std::string{'\\', kLetter[known]}, trusted);
    } else if (step.code_point >= 0x10000) {
      const auto high = static_cast<uint32_t>(step.code_point) - 0x10000U;
      out.append(fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (high >> 10), 0xDC00 + (high & 0x3FF)),
                 trusted);
    } else if (byte == 0x7F) {
      out.append("\x7F", trusted);
    } else {
      out.append(fmt::format("\\u{:04x}", static_cast<uint32_t>(step.code_point)), trusted);
    }
    at += static_cast<size_t>(step.length);
    plain = at;
  }
  out.append(text, plain, text.bytes.size());
  out.append("\"", edge);
}

void json_line(TextBuilder& out, const JsonStyle& style, int depth, bool trusted) {
  if (!style.indent) return;
  out.append("\n", trusted);
  for (int i = 0; i < depth; ++i) out.append(*style.indent, trusted);
}

std::string json_key(const Value& key) {
  if (key.is(Kind::kNone)) return "null";
  if (key.is(Kind::kBool)) return key.boolean ? "true" : "false";
  if (key.is(Kind::kFloat)) return float_repr(key.real);
  return fmt::format("{}", key.as_integer());
}

void print_json_dict(Runtime& rt, TextBuilder& out, const Value& value, const JsonStyle& style,
                     int depth) {
  const bool trusted = !value.untrusted;
  std::vector<const std::pair<Value, Value>*> entries;
  for (const auto& entry : value.dict->entries) entries.push_back(&entry);
  if (style.sort_keys)
    std::stable_sort(entries.begin(), entries.end(),
                     [&rt](const auto* a, const auto* b) { return less(rt, a->first, b->first); });
  if (entries.empty()) return out.append("{}", trusted);
  out.append("{", trusted);
  for (size_t i = 0; i < entries.size() && !rt.failed(); ++i) {
    if (i > 0) out.append(style.item_separator, trusted);
    json_line(out, style, depth + 1, trusted);
    const Value& key = entries[i]->first;
    if (key.is_text())
      print_json_text(out, *key.text, style.ensure_ascii);
    else
      out.append("\"" + json_key(key) + "\"", !key.untrusted);
    out.append(style.key_separator, trusted);
    print_json(rt, out, entries[i]->second, style, depth + 1);
  }
  json_line(out, style, depth, trusted);
  out.append("}", trusted);
}

void print_json_list(Runtime& rt, TextBuilder& out, const Value& value, const JsonStyle& style,
                     int depth) {
  const bool trusted = !value.untrusted;
  const auto& items = value.sequence->items;
  if (items.empty()) return out.append("[]", trusted);
  out.append("[", trusted);
  for (size_t i = 0; i < items.size() && !rt.failed(); ++i) {
    if (i > 0) out.append(style.item_separator, trusted);
    json_line(out, style, depth + 1, trusted);
    print_json(rt, out, items[i], style, depth + 1);
  }
  json_line(out, style, depth, trusted);
  out.append("]", trusted);
}

// One node of a nested print: depth and size stay within the limits, or false and an error.
bool enter(Runtime& rt, const TextBuilder& out, int depth) {
  if (depth > kMaxDataDepth) {
    rt.fail_too_large(fmt::format("data is nested deeper than {}", kMaxDataDepth));
    return false;
  }
  if (out.size() > rt.limits.max_output_bytes) return rt.spend_bytes(out.size());
  return rt.spend();
}

}  // namespace

std::string float_repr(double real) {
  if (std::isnan(real)) return "nan";
  if (std::isinf(real)) return real > 0 ? "inf" : "-inf";
  std::string text = fmt::format("{}", real);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

void print_repr(Runtime& rt, TextBuilder& out, const Value& value, int depth) {
  if (!enter(rt, out, depth)) return;
  switch (value.kind) {
    case Kind::kText:
      if (!rt.spend_bytes(value.text->bytes.size())) return;
      if (value.text->markup) out.append("Markup(", true);
      print_text_repr(out, *value.text);
      if (value.text->markup) out.append(")", true);
      return;
    case Kind::kList:
      return print_items(rt, out, value, "[", "]", depth);
    case Kind::kTuple:
      return print_items(rt, out, value, "(", ")", depth);
    case Kind::kView:
      out.append(value.sequence->view, true);
      return print_items(rt, out, value, "([", "])", depth);
    case Kind::kRange:
      return print_range(out, value);
    case Kind::kDict:
    case Kind::kNamespace:
      return print_dict(rt, out, value, depth);
    case Kind::kUndefined:
      if (rt.allow_undefined(value)) out.append("Undefined", true);
      return;
    default:
      return print(rt, out, value);
  }
}

void print(Runtime& rt, TextBuilder& out, const Value& value) {
  switch (value.kind) {
    case Kind::kUndefined:
      rt.allow_undefined(value);
      return;
    case Kind::kNone:
      return out.append("None", true);
    case Kind::kBool:
      return out.append(value.boolean ? "True" : "False", !value.untrusted);
    case Kind::kInt:
      return out.append(fmt::format_int(value.integer).c_str(), !value.untrusted);
    case Kind::kFloat:
      return out.append(float_repr(value.real), !value.untrusted);
    case Kind::kText:
      if (rt.spend_bytes(value.text->bytes.size())) out.append(*value.text);
      return;
    case Kind::kGenerator:
      return out.append("<generator object>", true);
    case Kind::kMacro:
      if (value.macro->name.empty()) return out.append("<Macro anonymous>", true);
      return out.append(fmt::format("<Macro '{}'>", value.macro->name), true);
    case Kind::kFunction:
    case Kind::kMethod:
      return out.append("<function>", true);
    case Kind::kLoop:
      return out.append("<LoopContext>", true);
    default:
      return print_repr(rt, out, value);
  }
}

Value to_text(Runtime& rt, const Value& value) {
  if (value.is_text()) return value;
  TextBuilder out;
  print(rt, out, value);
  return rt.text(std::move(out));
}

void print_json(Runtime& rt, TextBuilder& out, const Value& value, const JsonStyle& style,
                int depth) {
  if (!enter(rt, out, depth)) return;
  switch (value.kind) {
    case Kind::kNone:
      return out.append("null", true);
    case Kind::kBool:
      return out.append(value.boolean ? "true" : "false", !value.untrusted);
    case Kind::kInt:
      return out.append(fmt::format_int(value.integer).c_str(), !value.untrusted);
    case Kind::kFloat: {
      std::string text = float_repr(value.real);
      if (std::isnan(value.real)) text = "NaN";
      if (std::isinf(value.real)) text = value.real > 0 ? "Infinity" : "-Infinity";
      return out.append(text, !value.untrusted);
    }
    case Kind::kText:
      if (rt.spend_bytes(value.text->bytes.size()))
        print_json_text(out, *value.text, style.ensure_ascii);
      return;
    case Kind::kList:
    case Kind::kTuple:
      return print_json_list(rt, out, value, style, depth);
    case Kind::kDict:
      return print_json_dict(rt, out, value, style, depth);
    default:
      rt.fail(fmt::format("object of type {} is not JSON serializable", type_name(value)));
  }
}

Value escape_html(Runtime& rt, const Text& text) {
  TextBuilder out;
  OriginCursor origin(text);
  for (size_t at = 0; at < text.bytes.size(); ++at) {
    const bool trusted = origin.trusted_at(at);
    switch (text.bytes[at]) {
      case '&':
        out.append("&amp;", trusted);
        break;
      case '<':
        out.append("&lt;", trusted);
        break;
      case '>':
        out.append("&gt;", trusted);
        break;
      case '"':
        out.append("&#34;", trusted);
        break;
      case '\'':
        out.append("&#39;", trusted);
        break;
      default:
        out.append(text.bytes.substr(at, 1), trusted);
    }
  }
  return rt.text(std::move(out));
}

}  // namespace aictl::jinja
