#include "plugins/topology/nccl/xml.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace aictl::nccl {
namespace {

constexpr std::string_view kBlank = " \t\r\n";
constexpr size_t kMaxShown = 40;

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.' || c == ':';
}

/// The text that is left, and the line it is on.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  int line() const { return line_; }
  bool done() const { return text_.empty(); }
  bool at(std::string_view token) const { return text_.starts_with(token); }

  std::string_view take(size_t count) {
    const std::string_view taken = text_.substr(0, count);
    line_ += int(std::count(taken.begin(), taken.end(), '\n'));
    text_.remove_prefix(taken.size());
    return taken;
  }
  bool skip(std::string_view token) { return at(token) && !take(token.size()).empty(); }
  void skip_blank() { take(std::min(text_.find_first_not_of(kBlank), text_.size())); }

  /// Everything up to `token`, and past it; nullopt when it does not come.
  std::optional<std::string_view> until(std::string_view token) {
    const size_t end = text_.find(token);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view before = take(end);
    take(token.size());
    return before;
  }

  std::string_view name() {
    const auto end = std::find_if_not(text_.begin(), text_.end(), is_name_char);
    return take(size_t(end - text_.begin()));
  }

  /// Skips blanks, comments and processing instructions; false when one does not end.
  bool skip_between() {
    while (true) {
      skip_blank();
      if (skip("<!--")) {
        if (!until("-->")) return false;
      } else if (skip("<?")) {
        if (!until("?>")) return false;
      } else {
        return true;
      }
    }
  }

 private:
  std::string_view text_;
  int line_ = 1;
};

Error refused(int line, std::string what) {
  return {ErrorCode::kDataRefused, fmt::format("line {}: {}", line, what),
          "expected the XML of NCCL_TOPO_DUMP_FILE"};
}

/// The character that "amp" or "#65" stands for; nullopt when it stands for none.
std::optional<char> entity(std::string_view name) {
  if (name == "amp") return '&';
  if (name == "lt") return '<';
  if (name == "gt") return '>';
  if (name == "quot") return '"';
  if (name == "apos") return '\'';
  if (!name.starts_with('#')) return std::nullopt;
  const bool hex = name.starts_with("#x");
  name.remove_prefix(hex ? 2 : 1);
  int code = 0;
  const auto [end, error] =
      std::from_chars(name.data(), name.data() + name.size(), code, hex ? 16 : 10);
  const bool good =
      error == std::errc() && end == name.data() + name.size() && code >= ' ' && code < 127;
  return good ? std::optional(char(code)) : std::nullopt;
}

Result<std::string> decoded(std::string_view raw, int line) {
  std::string text;
  while (!raw.empty()) {
    const size_t amp = std::min(raw.find('&'), raw.size());
    for (unsigned char c : raw.substr(0, amp)) {
      if (c < ' ' && kBlank.find(char(c)) == kBlank.npos)
        return refused(line, fmt::format("character {} in an attribute", int(c)));
      text += c < ' ' ? ' ' : char(c);
    }
    raw.remove_prefix(amp);
    if (raw.empty()) break;
    const size_t end = raw.find(';');
    const auto c = end == raw.npos ? std::nullopt : entity(raw.substr(1, end - 1));
    if (!c)
      return refused(line,
                     fmt::format("'{}' is no entity", raw.substr(0, std::min(end, kMaxShown))));
    text += *c;
    raw.remove_prefix(end + 1);
  }
  return text;
}

class Parser {
 public:
  Parser(std::string_view text, const XmlLimits& limits) : cursor_(text), limits_(limits) {
    cursor_.skip("\xef\xbb\xbf");
  }

  Result<Element> document() {
    while (true) {
      if (!cursor_.skip_between()) return refused(cursor_.line(), "a comment does not end");
      if (cursor_.done()) break;
      if (auto read = next(); !read) return std::move(read).error();
    }
    if (!open_.empty())
      return refused(cursor_.line(), fmt::format("the file ends inside <{}> of line {}",
                                                 shown(open_.back().name), open_.back().line));
    if (!root_) return refused(cursor_.line(), "no element");
    return *std::move(root_);
  }

 private:
  static std::string_view shown(std::string_view name) { return name.substr(0, kMaxShown); }

  /// One tag, or text between tags, which says nothing here.
  Result<void> next() {
    if (cursor_.skip("</")) return close();
    if (cursor_.at("<!")) return refused(cursor_.line(), "document types are not read");
    if (cursor_.skip("<")) return open();
    return refused(cursor_.line(), "text outside of tags");
  }

  Result<void> open() {
    if (root_) return refused(cursor_.line(), "a second root element");
    if (++elements_ > limits_.elements)
      return refused(cursor_.line(), fmt::format("more than {} elements", limits_.elements));
    if (open_.size() >= limits_.depth)
      return refused(cursor_.line(), fmt::format("elements more than {} deep", limits_.depth));
    Element element;
    element.line = cursor_.line();
    element.name = std::string(cursor_.name());
    if (element.name.empty()) return refused(cursor_.line(), "a tag without a name");
    if (auto read = attributes(element); !read) return read;
    const bool alone = cursor_.skip("/");
    if (!cursor_.skip(">"))
      return refused(cursor_.line(), fmt::format("the tag <{}> does not end", shown(element.name)));
    open_.push_back(std::move(element));
    if (alone) finish();
    return {};
  }

  Result<void> attributes(Element& element) {
    while (true) {
      cursor_.skip_blank();
      const std::string key(cursor_.name());
      if (key.empty()) return {};
      const auto where = fmt::format("attribute '{}' of <{}>", shown(key), shown(element.name));
      if (element.attribute(key)) return refused(cursor_.line(), where + " stands there twice");
      if (element.attributes.size() >= limits_.attributes)
        return refused(cursor_.line(), fmt::format("more than {} attributes", limits_.attributes));
      cursor_.skip_blank();
      if (!cursor_.skip("=")) return refused(cursor_.line(), where + " has no value");
      cursor_.skip_blank();
      const int line = cursor_.line();
      const std::string_view quote = cursor_.at("'") ? "'" : "\"";
      const auto raw = cursor_.skip(quote) ? cursor_.until(quote) : std::nullopt;
      if (!raw || raw->find('<') != raw->npos) return refused(line, where + " is not quoted");
      auto value = decoded(*raw, line);
      if (!value) return std::move(value).error();
      element.attributes.emplace_back(key, *std::move(value));
    }
  }

  Result<void> close() {
    const int line = cursor_.line();
    const std::string_view name = cursor_.name();
    cursor_.skip_blank();
    if (!cursor_.skip(">"))
      return refused(line, fmt::format("the tag </{}> does not end", shown(name)));
    if (open_.empty()) return refused(line, fmt::format("</{}> closes nothing", shown(name)));
    if (open_.back().name != name)
      return refused(line, fmt::format("</{}> closes <{}> of line {}", shown(name),
                                       shown(open_.back().name), open_.back().line));
    finish();
    return {};
  }

  /// The innermost open element is complete: it goes into the one around it.
  void finish() {
    Element done = std::move(open_.back());
    open_.pop_back();
    if (open_.empty())
      root_ = std::move(done);
    else
      open_.back().children.push_back(std::move(done));
  }

  Cursor cursor_;
  XmlLimits limits_;
  size_t elements_ = 0;
  std::vector<Element> open_;
  std::optional<Element> root_;
};

}  // namespace

std::optional<std::string> Element::attribute(std::string_view key) const {
  for (const auto& [name, value] : attributes)
    if (name == key) return value;
  return std::nullopt;
}

Result<Element> parse_xml(std::string_view text, const XmlLimits& limits) {
  return Parser(text, limits).document();
}

std::string_view root_name(std::string_view text) {
  Cursor cursor(text);
  cursor.skip("\xef\xbb\xbf");
  if (!cursor.skip_between() || !cursor.skip("<")) return {};
  return cursor.name();
}

}  // namespace aictl::nccl
