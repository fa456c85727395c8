#include "plugins/topology/hwloc/xml/document.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "core/base/utf8.hpp"

namespace aictl::hwloc {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.' || c == ':';
}

bool is_character(char32_t c) { return c >= 0x20 || c == '\t' || c == '\n' || c == '\r'; }

// What is between '&' and ';'; nullopt for what neither XML nor Unicode has.
std::optional<char32_t> resolve(std::string_view entity) {
  if (entity == "lt") return '<';
  if (entity == "gt") return '>';
  if (entity == "amp") return '&';
  if (entity == "quot") return '"';
  if (entity == "apos") return '\'';
  if (!entity.starts_with('#')) return std::nullopt;
  const bool hex = entity.starts_with("#x");
  entity.remove_prefix(hex ? 2 : 1);
  uint32_t code = 0;
  const char* const end = entity.data() + entity.size();
  const auto [at, error] = std::from_chars(entity.data(), end, code, hex ? 16 : 10);
  const bool surrogate = code >= 0xD800 && code < 0xE000;
  if (error != std::errc() || at != end || entity.empty()) return std::nullopt;
  if (!is_character(code) || surrogate || code > 0x10FFFF) return std::nullopt;
  return code;
}

// The first byte that is no character of XML; npos when all are.
size_t first_bad_byte(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) {
      if (!is_character(c)) return i;
      ++i;
      continue;
    }
    const utf8::Step step = utf8::decode(text.substr(i, 4));
    if (!step.valid) return i;
    i += size_t(step.length);
  }
  return text.npos;
}

}  // namespace

Error refused_at(std::string_view text, size_t offset, std::string_view why, std::string hint) {
  const std::string_view before = text.substr(0, offset);
  const size_t line = 1 + size_t(std::count(before.begin(), before.end(), '\n'));
  const size_t start = before.rfind('\n');
  const size_t column = 1 + before.size() - (start == before.npos ? 0 : start + 1);
  return {ErrorCode::kDataRefused, fmt::format("line {}, column {}: {}", line, column, why),
          std::move(hint)};
}

// Walks the text once. A step that fails has set error_.
class XmlParser {
 public:
  explicit XmlParser(std::string_view text) : text_(text) { document_.text_ = text; }

  Result<XmlDocument> run() {
    if (const size_t bad = first_bad_byte(text_); bad != text_.npos) {
      const auto byte = static_cast<unsigned char>(text_[bad]);
      return refused_at(text_, bad, fmt::format("byte 0x{:02x} is no character of UTF-8", byte));
    }
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
    while (!error_ && (document_.elements_.empty() || !open_.empty())) step();
    while (!error_ && skip_blank() && at_ < text_.size()) after_root();
    if (error_) return std::move(*error_);
    return std::move(document_);
  }

 private:
  bool skip_blank() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
    return true;
  }

  bool fail(size_t offset, std::string_view why) {
    error_ = refused_at(text_, offset, why);
    return false;
  }

  bool next_is(std::string_view token) const { return text_.substr(at_).starts_with(token); }

  // One construct, and the text before it.
  void step() {
    const size_t tag = text_.find('<', at_);
    const std::string_view between = text_.substr(at_, tag - std::min(tag, at_));
    const bool blank = std::all_of(between.begin(), between.end(), is_blank);
    if (tag == text_.npos) {
      fail(text_.size(), open_.empty()
                             ? "the file ends before its first element"
                             : fmt::format("the file ends inside <{}>",
                                           document_.elements_[size_t(open_.back())].name));
      return;
    }
    if (!blank && open_.empty()) return void(fail(at_, "text outside of elements"));
    if (!blank) keep_text(between);
    at_ = tag;
    if (next_is("<!--")) return skip_to("-->", "a comment without an end");
    if (next_is("</")) return close();
    if (document_.elements_.empty() && next_is("<?")) return skip_to("?>", "no end of <?");
    if (document_.elements_.empty() && next_is("<!DOCTYPE")) return skip_doctype();
    if (next_is("<!") || next_is("<?")) return void(fail(at_, "markup that hwloc never writes"));
    open();
  }

  void after_root() {
    if (next_is("<!--")) return skip_to("-->", "a comment without an end");
    fail(at_, "more after the end of the root element");
  }

  void keep_text(std::string_view text) {
    XmlElement& element = document_.elements_[size_t(open_.back())];
    if (element.text.empty()) element.text = text;
  }

  void skip_to(std::string_view end, std::string_view why) {
    const size_t found = text_.find(end, at_);
    if (found == text_.npos) return void(fail(at_, why));
    at_ = found + end.size();
  }

  void skip_doctype() {
    const size_t end = text_.find('>', at_);
    const std::string_view type = text_.substr(at_, end == text_.npos ? end : end - at_);
    if (end == text_.npos || type.find('[') != type.npos)
      return void(fail(at_, "a document type with declarations of its own"));
    at_ = end + 1;
  }

  std::string_view take_name() {
    const size_t start = at_;
    while (at_ < text_.size() && is_name(text_[at_])) ++at_;
    return text_.substr(start, at_ - start);
  }

  void close() {
    const size_t start = at_;
    at_ += 2;
    const std::string_view name = take_name();
    skip_blank();
    if (open_.empty()) return void(fail(start, fmt::format("</{}> closes nothing", name)));
    const XmlElement& element = document_.elements_[size_t(open_.back())];
    if (name != element.name)
      return void(fail(start, fmt::format("</{}> where </{}> is due", name, element.name)));
    if (!next_is(">")) return void(fail(at_, fmt::format("</{} without its >", name)));
    ++at_;
    open_.pop_back();
  }

  void open() {
    auto& elements = document_.elements_;
    XmlElement element;
    element.offset = at_++;
    element.name = take_name();
    element.first_attribute = document_.attributes_.size();
    element.depth = int(open_.size());
    if (element.name.empty()) return void(fail(at_, "an element without a name"));
    if (elements.size() >= XmlDocument::kMaxElements)
      return void(fail(at_, fmt::format("over {} elements", XmlDocument::kMaxElements)));
    if (element.depth >= XmlDocument::kMaxDepth)
      return void(fail(at_, fmt::format("nested over {} deep", XmlDocument::kMaxDepth)));
    while (skip_blank() && at_ < text_.size() && is_name(text_[at_]))
      if (!attribute(element)) return;
    const bool empty = next_is("/>");
    if (!empty && !next_is(">"))
      return void(fail(at_, fmt::format("no end of the tag <{}>", element.name)));
    at_ += empty ? 2 : 1;
    const int index = int(elements.size());
    if (!open_.empty()) {
      element.parent = open_.back();
      XmlElement& parent = elements[size_t(element.parent)];
      (parent.last_child < 0 ? parent.first_child : elements[size_t(parent.last_child)].next) =
          index;
      parent.last_child = index;
    }
    elements.push_back(element);
    if (!empty) open_.push_back(index);
  }

  bool attribute(XmlElement& element) {
    const size_t start = at_;
    const std::string_view name = take_name();
    skip_blank();
    if (!next_is("=")) return fail(at_, fmt::format("attribute '{}' has no value", name));
    ++at_;
    skip_blank();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '"' && quote != '\'')
      return fail(at_, fmt::format("the value of '{}' is not quoted", name));
    const size_t end = text_.find(quote, ++at_);
    if (end == text_.npos) return fail(start, fmt::format("the value of '{}' has no end", name));
    if (end - at_ > XmlDocument::kMaxValue)
      return fail(start, fmt::format("the value of '{}' takes {} bytes, {} at most", name,
                                     end - at_, XmlDocument::kMaxValue));
    std::string_view value = text_.substr(at_, end - at_);
    if (value.find('<') != value.npos) return fail(at_, fmt::format("a '<' in '{}'", name));
    if (value.find('&') != value.npos && !resolve_all(value)) return false;
    for (size_t i = 0; i < element.attributes; ++i)
      if (document_.attributes_[element.first_attribute + i].name == name)
        return fail(start, fmt::format("attribute '{}' is there twice", name));
    if (element.attributes >= 64) return fail(start, "over 64 attributes");
    document_.attributes_.push_back({name, value});
    ++element.attributes;
    at_ = end + 1;
    return true;
  }

  bool resolve_all(std::string_view& value) {
    std::string text;
    for (size_t i = 0; i < value.size(); ++i) {
      if (value[i] != '&') {
        text += value[i];
        continue;
      }
      const size_t end = value.substr(i + 1, 12).find(';');
      const std::string_view entity = value.substr(i + 1, std::min<size_t>(end, 12));
      const auto character = end == value.npos ? std::nullopt : resolve(entity);
      if (!character) return fail(at_ + i, fmt::format("'&{}' stands for nothing", entity));
      utf8::append(text, *character);
      i += entity.size() + 1;
    }
    value = document_.resolved_.emplace_back(std::move(text));
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
  XmlDocument document_;
  std::vector<int> open_;
  std::optional<Error> error_;
};

Result<XmlDocument> XmlDocument::parse(std::string_view text) { return XmlParser(text).run(); }

std::optional<std::string_view> XmlDocument::attribute(const XmlElement& element,
                                                       std::string_view name) const {
  for (size_t i = 0; i < element.attributes; ++i) {
    const XmlAttribute& attribute = attributes_[element.first_attribute + i];
    if (attribute.name == name) return attribute.value;
  }
  return std::nullopt;
}

Error XmlDocument::refused(const XmlElement& element, std::string_view why,
                           std::string hint) const {
  return refused_at(text_, element.offset, why, std::move(hint));
}

}  // namespace aictl::hwloc
