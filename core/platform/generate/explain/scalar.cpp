#include "core/platform/generate/explain/scalar.hpp"

#include <algorithm>
#include <string>

namespace aictl::platform {
namespace {

constexpr std::string_view kBlank = " \t\n";

// After the quoted text that begins at `at`.
size_t after_quoted(std::string_view text, size_t at) {
  const char quote = text[at];
  for (++at; at < text.size(); ++at) {
    if (quote == '"' && text[at] == '\\') {
      ++at;
    } else if (text[at] == quote) {
      if (quote == '"' || at + 1 >= text.size() || text[at + 1] != '\'') return at + 1;
      ++at;
    }
  }
  return text.size();
}

// After the lines below the one at `at` that are deeper than it: the text of a block.
size_t after_block(std::string_view text, size_t line, size_t at) {
  const auto indent = [&](size_t from) { return text.find_first_not_of(' ', from) - from; };
  size_t own = indent(line);
  while (text.substr(line + own, 2) == "- ") own += 2;  // an item's keys stand behind its dash
  for (at = text.find('\n', at); at != text.npos && at + 1 < text.size();
       at = text.find('\n', at + 1)) {
    const size_t next = text.find_first_not_of(' ', at + 1);
    if (next == text.npos) return text.size();
    if (text[next] != '\n' && next - at - 1 <= own) return at;
  }
  return text.size();
}

// The byte `column` characters behind `line`.
size_t byte_at(std::string_view text, size_t line, size_t column) {
  size_t at = line;
  for (; at < text.size() && column > 0; --column) do
      ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80);
  return at;
}

}  // namespace

std::pair<size_t, size_t> scalar_extent(std::string_view text, size_t line, size_t column,
                                        bool keyed, const Json& leaf) {
  size_t at = byte_at(text, line, column);
  if (keyed && at < text.size()) {
    const bool quoted = text[at] == '"' || text[at] == '\'';
    at = text.find(':', quoted ? after_quoted(text, at) : text.find_first_of(": ", at));
    while (!quoted && at != text.npos && at + 1 < text.size() &&
           kBlank.find(text[at + 1]) == kBlank.npos)
      at = text.find(':', at + 1);  // a key may have ':' in it
    at = at == text.npos ? text.size() : text.find_first_not_of(kBlank, at + 1);
  }
  if (at >= text.size()) return {text.size(), text.size()};
  if (text[at] == '"' || text[at] == '\'') {  // the quotes say nothing, where there is more
    const size_t end = after_quoted(text, at);
    return end > at + 2 ? std::pair(at + 1, end - 1) : std::pair(at, end);
  }
  if (text[at] == '|' || text[at] == '>') {
    const size_t body = std::min(text.find('\n', at), text.size());
    return {body, after_block(text, line, at)};
  }
  const size_t size = leaf.is_string() ? leaf.get_ref<const std::string&>().size()
                                       : text.find_first_of(" ,}]\n", at) - at;
  return {at, std::min(at + std::min(size, text.size() - at), text.find('\n', at))};
}

}  // namespace aictl::platform
