#include "core/cli/terminal/table.hpp"

#include <algorithm>
#include <ostream>

#include "core/base/utf8.hpp"

namespace aictl::cli {
namespace {

struct Range {
  char32_t first, last;
};

// Marks that stand on the letter before them, and joiners. Unicode 15, categories Mn, Me and Cf of
// the scripts a table is likely to show.
constexpr Range kZeroWidth[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A},  {0x064B, 0x065F},
    {0x0670, 0x0670}, {0x06D6, 0x06DC}, {0x0900, 0x0902}, {0x093C, 0x093C},  {0x0941, 0x0948},
    {0x0E31, 0x0E31}, {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E}, {0x1AB0, 0x1AFF},  {0x1DC0, 0x1DFF},
    {0x200B, 0x200F}, {0x202A, 0x202E}, {0x2060, 0x2064}, {0x20D0, 0x20F0},  {0x3099, 0x309A},
    {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}, {0xE0100, 0xE01EF}};

// East Asian Wide and Fullwidth, and emoji.
constexpr Range kWide[] = {
    {0x1100, 0x115F},   {0x231A, 0x231B},   {0x23E9, 0x23EC},   {0x25FD, 0x25FE},
    {0x2614, 0x2615},   {0x2648, 0x2653},   {0x26A1, 0x26A1},   {0x2705, 0x2705},
    {0x2728, 0x2728},   {0x274C, 0x274C},   {0x2753, 0x2757},   {0x2795, 0x2797},
    {0x2B50, 0x2B50},   {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},
    {0x4E00, 0x9FFF},   {0xA000, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
    {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F7E0, 0x1F7EB}, {0x1F900, 0x1F9FF},
    {0x1FA70, 0x1FAFF}, {0x20000, 0x3FFFD}};

template <size_t N>
bool within(const Range (&ranges)[N], char32_t c) {
  const auto after =
      std::upper_bound(std::begin(ranges), std::end(ranges), c,
                       [](char32_t value, const Range& range) { return value < range.first; });
  return after != std::begin(ranges) && c <= (after - 1)->last;
}

size_t width_of(char32_t c) {
  if (c < 0x20 || (c >= 0x7F && c < 0xA0) || within(kZeroWidth, c)) return 0;
  return within(kWide, c) ? 2 : 1;
}

// Nothing in a cell may move the cursor: control characters would break the columns, or worse.
std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const utf8::Step step = utf8::decode(text);
    const char32_t c = step.code_point;
    if (c < 0x20 || (c >= 0x7F && c < 0xA0))
      out += ' ';
    else
      utf8::append(out, c);
    text.remove_prefix(static_cast<size_t>(step.length));
  }
  return out;
}

void wrap_paragraph(std::string_view text, size_t width, std::vector<std::string>& lines) {
  std::string line;
  size_t columns = 0;
  while (!text.empty()) {
    const size_t space = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, space);
    text.remove_prefix(std::min(space + 1, text.size()));
    if (word.empty()) continue;
    const size_t word_width = display_width(word);
    if (columns > 0 && columns + 1 + word_width > width) {
      lines.push_back(std::move(line));
      line.clear(), columns = 0;
    }
    if (columns > 0) line += ' ', ++columns;
    line += word;
    columns += word_width;
  }
  lines.push_back(std::move(line));
}

}  // namespace

size_t display_width(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    const utf8::Step step = utf8::decode(text);
    width += width_of(step.code_point);
    text.remove_prefix(static_cast<size_t>(step.length));
  }
  return width;
}

std::vector<std::string> wrap(std::string_view text, size_t width) {
  std::vector<std::string> lines;
  for (;;) {
    const size_t end = text.find('\n');
    if (const std::string_view line = text.substr(0, end); line.starts_with("  "))
      lines.emplace_back(line);
    else
      wrap_paragraph(line, width, lines);
    if (end == text.npos) return lines;
    text.remove_prefix(end + 1);
  }
}

Table& Table::right(size_t column) {
  right_.push_back(column);
  return *this;
}

Table& Table::row(std::vector<std::string> cells) {
  for (std::string& cell : cells) cell = printable(cell);
  rows_.push_back(std::move(cells));
  return *this;
}

void Table::print(std::ostream& out) const {
  std::vector<size_t> widths;
  const auto measure = [&](const std::vector<std::string>& cells) {
    widths.resize(std::max(widths.size(), cells.size()));
    for (size_t i = 0; i < cells.size(); ++i)
      widths[i] = std::max(widths[i], display_width(cells[i]));
  };
  measure(heads_);
  for (const auto& cells : rows_) measure(cells);

  const auto print_row = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (size_t i = 0; i < cells.size(); ++i) {
      const std::string padding(widths[i] - display_width(cells[i]), ' ');
      const bool right = std::find(right_.begin(), right_.end(), i) != right_.end();
      line += right ? padding + cells[i] : cells[i] + padding;
      line += "  ";
    }
    line.resize(line.find_last_not_of(' ') + 1);  // npos + 1 is 0
    out << line << '\n';
  };
  if (!heads_.empty()) print_row(heads_);
  for (const auto& cells : rows_) print_row(cells);
}

}  // namespace aictl::cli
