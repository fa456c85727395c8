#include "plugins/topology/nvidia_smi/lines.hpp"

#include <algorithm>
#include <cctype>

namespace aictl::nvidia_smi {
namespace {

/// The length of a colour code at the start of `text`: "\033[4m", or "[4m" where the paste lost the
/// escape character. 0: none.
size_t colour_code(std::string_view text) {
  size_t at = 0;
  if (at < text.size() && text[at] == '\033') ++at;
  const bool escaped = at == 1;
  if (at == text.size() || text[at] != '[') return escaped ? 1 : 0;
  ++at;
  const size_t digits = at;
  while (at < text.size() && (std::isdigit((unsigned char)text[at]) || text[at] == ';')) ++at;
  if (at == text.size()) return escaped ? at : 0;
  const bool code = text[at] == 'm' || (escaped && std::isalpha((unsigned char)text[at]));
  return code && (escaped || at > digits) ? at + 1 : 0;
}

std::string cleaned(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf", kHardBlank = "\xc2\xa0";
  std::string clean;
  while (!text.empty()) {
    if (const size_t skip = colour_code(text); skip > 0) {
      text.remove_prefix(skip);
    } else if (text.starts_with(kByteOrderMark)) {
      text.remove_prefix(kByteOrderMark.size());
    } else if (text.starts_with(kHardBlank)) {
      clean += ' ';
      text.remove_prefix(kHardBlank.size());
    } else {
      if (text.front() != '\r' && text.front() != '\0') clean += text.front();
      text.remove_prefix(1);
    }
  }
  return clean;
}

}  // namespace

std::vector<std::string> Line::words() const {
  std::vector<std::string> words;
  size_t at = 0;
  while ((at = text.find_first_not_of(" \t", at)) != std::string::npos) {
    const size_t end = std::min(text.find_first_of(" \t", at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

std::vector<std::string> Line::cells() const {
  if (text.find('\t') == std::string::npos) return words();
  std::vector<std::string> cells;
  size_t at = 0;
  while (true) {
    const size_t tab = std::min(text.find('\t', at), text.size());
    const std::vector<std::string> inner = Line{number, text.substr(at, tab - at)}.words();
    if (inner.empty()) cells.emplace_back();
    cells.insert(cells.end(), inner.begin(), inner.end());
    if (tab == text.size()) return cells;
    at = tab + 1;
  }
}

std::vector<Line> lines_of(std::string_view text) {
  std::vector<Line> lines;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back({number, cleaned(text.substr(0, end))});
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace aictl::nvidia_smi
