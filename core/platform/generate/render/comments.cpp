#include "core/platform/generate/render/comments.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace aictl::platform {
namespace {

// Where the comment of a line starts; npos without one. Quotes open at the start of a scalar only.
size_t comment_start(std::string_view line) {
  char quote = 0, before = ' ';
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != 0) {
      if (c == '\\' && quote == '"')
        ++i;
      else if (c == quote)
        quote = 0;
    } else if ((c == '"' || c == '\'') &&
               std::string_view(" [{,:").find(before) != std::string_view::npos) {
      quote = c;
    } else if (c == '#' && before == ' ') {
      return i;
    }
    before = c;
  }
  return std::string_view::npos;
}

size_t indent_of(std::string_view line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

// Whether a line ends in the mark of a block scalar: "|", ">-", "|2-".
bool opens_block(std::string_view content) {
  const size_t space = content.find_last_of(' ');
  const std::string_view last = content.substr(space == content.npos ? 0 : space + 1);
  if (last.empty() || (last[0] != '|' && last[0] != '>') || last.size() > 3) return false;
  return last.find_first_not_of("+-123456789", 1) == last.npos;
}

// The pointer of the field a comment beside `line` speaks of: the outermost one, but what an item
// of a list begins with rather than the item.
const std::string* field_at(const std::multimap<int, const std::string*>& by_line, int line,
                            const Json& tree) {
  auto [from, to] = by_line.equal_range(line);
  if (from == to && (from = by_line.upper_bound(line)) != by_line.end())
    to = by_line.upper_bound(from->first);
  std::vector<const std::string*> here;
  for (; from != to; ++from) here.push_back(from->second);
  std::sort(here.begin(), here.end(), [](const std::string* a, const std::string* b) {
    return a->size() != b->size() ? a->size() < b->size() : *a < *b;
  });
  for (const std::string* pointer : here) {
    if (pointer->empty()) continue;
    const Json::json_pointer place(*pointer);
    if (tree[place.parent_pointer()].is_array() && tree[place].is_structured() && here.size() > 1)
      continue;
    return pointer;
  }
  return nullptr;
}

}  // namespace

std::map<std::string, std::string> trailing_comments(std::string_view text, int first,
                                                     const YamlDocument& document) {
  std::multimap<int, const std::string*> by_line;
  for (const auto& [pointer, place] : document.places) by_line.emplace(place.line, &pointer);
  std::map<std::string, std::string> comments;
  size_t block = std::string_view::npos;  // the indent of the key whose block scalar we are in
  int number = first;
  for (size_t at = 0; at < text.size(); ++number) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    at = end + 1;
    const size_t indent = indent_of(line);
    if (indent == line.size() || (block != line.npos && indent > block)) continue;
    block = line.npos;
    const size_t start = comment_start(line);
    const std::string_view content = trimmed(line.substr(0, std::min(start, line.size())));
    if (content.empty()) continue;
    if (opens_block(content)) block = indent;
    if (start == line.npos) continue;
    if (const std::string* pointer = field_at(by_line, number, document.tree))
      comments[*pointer] = std::string(trimmed(line.substr(start + 1)));
  }
  return comments;
}

YamlNotes notes_of(const Json& object, const std::map<std::string, std::string>& comments) {
  YamlNotes notes;
  for (const auto& [pointer, comment] : comments) {
    if (pointer.empty()) continue;
    const Json* node = &object;
    std::string path;
    Json::json_pointer rest(pointer);
    std::vector<std::string> tokens;
    for (; !rest.empty(); rest.pop_back()) tokens.push_back(rest.back());
    for (auto token = tokens.rbegin(); token != tokens.rend() && node; ++token) {
      if (node->is_array()) {
        const size_t index = std::stoul(*token);
        path += fmt::format("[{}]", index);
        node = index < node->size() ? &(*node)[index] : nullptr;
      } else {
        path += (path.empty() ? "" : ".") + *token;
        node = node->is_object() && node->contains(*token) ? &(*node)[*token] : nullptr;
      }
    }
    if (node) notes[path].beside = comment;
  }
  return notes;
}

}  // namespace aictl::platform
