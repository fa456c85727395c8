#include "core/value/yaml_write.hpp"

#include <fmt/format.h>

#include "core/base/utf8.hpp"
#include "core/value/yaml_scalar.hpp"

namespace aictl {
namespace {

constexpr size_t kStep = 2;
constexpr size_t kLongestSimpleKey = 1000;  // a reader looks 1024 characters ahead for the colon

// What YAML 1.1 lets stand as it is: no control characters, none of its further line breaks.
bool is_printable(char32_t c) {
  if (c < 0x20) return c == '\t' || c == '\n';
  if (c >= 0x7F && c <= 0x9F) return false;
  return c != 0x2028 && c != 0x2029 && c != 0xFEFF && c != 0xFFFE && c != 0xFFFF;
}

bool all_printable(std::string_view text) {
  while (!text.empty()) {
    const utf8::Step step = utf8::decode(text);
    if (!is_printable(step.code_point)) return false;
    text.remove_prefix(size_t(step.length));
  }
  return true;
}

// Whether no character of `text` is syntax where a plain scalar stands in block style.
bool is_plain_text(std::string_view text) {
  if (text.empty() || text.front() == ' ' || text.back() == ' ' || text.back() == ':') return false;
  if (text.find_first_of("\n\t") != text.npos) return false;
  if (text.find(": ") != text.npos || text.find(" #") != text.npos) return false;
  if (text.starts_with("---") || text.starts_with("...")) return false;
  const char first = text.front();
  if (std::string_view(",[]{}#&*!|>'\"%@`?:=<~").find(first) != std::string_view::npos)
    return false;
  if (first == '-' && (text.size() == 1 || text[1] == ' ' || text[1] == '-'))
    return text.size() > 2 && text[1] == '-';
  return true;
}

// Whether a `|` block keeps every byte: it begins with a letter, no line has only blanks, and no
// line has a tab where readers look for indentation.
bool is_block_text(std::string_view text) {
  if (text.find('\n') == text.npos || text.front() == ' ' || text.front() == '\n') return false;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    const size_t first = line.find_first_not_of(' ');
    if (!line.empty() && (first == line.npos || line[first] == '\t')) return false;
    at = end + 1;
  }
  return true;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const utf8::Step step = utf8::decode(text);
    const char32_t c = step.code_point;
    if (c == '"' || c == '\\')
      out += {'\\', char(c)};
    else if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else if (c == '\r')
      out += "\\r";
    else if (is_printable(c))
      out += text.substr(0, size_t(step.length));
    else
      out +=
          c <= 0xFF ? fmt::format("\\x{:02X}", uint32_t(c)) : fmt::format("\\u{:04X}", uint32_t(c));
    text.remove_prefix(size_t(step.length));
  }
  return out + '"';
}

std::string one_line(std::string_view text) {
  return means_itself(text) && is_plain_text(text) && all_printable(text) ? std::string(text)
                                                                          : quoted(text);
}

class Writer {
 public:
  explicit Writer(const YamlNotes& notes) : notes_(notes) {}

  std::string write(const Json& tree) {
    if (const YamlNote* note = note_of(".")) out_ += comment_lines(note->above);
    if (is_container(tree))
      container(tree, 0, false);
    else
      scalar(tree, 0, nullptr);
    return std::move(out_);
  }

 private:
  static bool is_container(const Json& value) { return value.is_structured() && !value.empty(); }

  const YamlNote* note_of(std::string_view path) const {
    const auto found = notes_.find(path);
    return found == notes_.end() ? nullptr : &found->second;
  }

  // The children of a map or list at `indent`; `inline_first`: the first stands behind a "- ".
  void container(const Json& value, size_t indent, bool inline_first) {
    const size_t path_size = path_.size();
    bool first = true;
    const auto child = [&](const Json& item, const std::string* key, size_t index) {
      if (key != nullptr)
        path_ += (path_size == 0 ? "" : ".") + *key;
      else
        path_ += fmt::format("[{}]", index);
      const YamlNote* note = notes_.empty() ? nullptr : note_of(path_);
      const bool behind = first && inline_first;
      if (note != nullptr && !note->above.empty() && !behind)
        out_ += comment_lines(note->above, indent);
      if (!behind) out_.append(indent, ' ');
      if (key != nullptr)
        entry(*key, item, indent, note);
      else
        list_item(item, indent, note);
      path_.resize(path_size);
      first = false;
    };
    if (value.is_object())
      for (const auto& [key, item] : value.items()) child(item, &key, 0);
    else
      for (size_t i = 0; i < value.size(); ++i) child(value[i], nullptr, i);
  }

  void entry(const std::string& key, const Json& item, size_t indent, const YamlNote* note) {
    const std::string text = one_line(key);
    if (text.size() > kLongestSimpleKey) {
      out_ += "? " + text + '\n';
      out_.append(indent, ' ');
    } else {
      out_ += text;
    }
    out_ += ':';
    if (!is_container(item)) {
      out_ += ' ';
      return scalar(item, indent, note);
    }
    beside(note);
    out_ += '\n';
    container(item, indent + kStep, false);
  }

  void list_item(const Json& item, size_t indent, const YamlNote* note) {
    out_ += "- ";
    if (!is_container(item)) return scalar(item, indent, note);
    if (has_note_at_first(item)) {  // a comment needs a line of its own
      out_.back() = '\n';
      return container(item, indent + kStep, false);
    }
    container(item, indent + kStep, true);
  }

  bool has_note_at_first(const Json& item) const {
    if (notes_.empty() || !item.is_object()) return false;
    const YamlNote* note = note_of(path_ + "." + item.items().begin().key());
    return note != nullptr && !note->above.empty();
  }

  void beside(const YamlNote* note) {
    if (note != nullptr && !note->beside.empty()) out_ += "  # " + one_comment(note->beside);
  }

  // A comment ends with its line, whatever a generator put into it.
  static std::string one_comment(std::string_view text) {
    std::string line = utf8::sanitize(text);
    for (char& c : line)
      if (static_cast<unsigned char>(c) < ' ') c = ' ';
    return line;
  }

  void scalar(const Json& value, size_t indent, const YamlNote* note) {
    if (value.is_string()) return text(value.get_ref<const std::string&>(), indent, note);
    out_ += dump_json(value);
    beside(note);
    out_ += '\n';
  }

  void text(const std::string& raw, size_t indent, const YamlNote* note) {
    const std::string value = utf8::is_valid(raw) ? raw : utf8::sanitize(raw);
    if (!is_block_text(value) || !all_printable(value)) {
      out_ += one_line(value);
      beside(note);
      out_ += '\n';
      return;
    }
    const size_t ends = value.size() - 1 - value.find_last_not_of('\n');
    out_ += ends == 0 ? "|-" : ends == 1 ? "|" : "|+";
    beside(note);
    out_ += '\n';
    for (size_t at = 0; at < value.size();) {
      const size_t end = std::min(value.find('\n', at), value.size());
      if (end > at) out_.append(indent + kStep, ' ').append(value, at, end - at);
      out_ += '\n';
      at = end + 1;
    }
  }

  const YamlNotes& notes_;
  std::string out_;
  std::string path_;
};

}  // namespace

std::string comment_lines(std::string_view text, size_t indent) {
  std::string out;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string line = utf8::sanitize(text.substr(0, end));
    for (char& c : line)
      if (static_cast<unsigned char>(c) < ' ') c = ' ';
    out.append(indent, ' ').append(line.empty() ? "#" : "# ").append(line) += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string write_yaml(const Json& tree, const YamlNotes& notes) {
  return Writer(notes).write(tree);
}

}  // namespace aictl
