// Table: rows of text in aligned columns, by what a terminal shows and not by bytes.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace aictl::cli {

/// Columns `text` takes on a terminal: wide East Asian characters and emoji take two, combining
/// marks none, control characters none.
size_t display_width(std::string_view text);

/// `text` broken at spaces into lines of at most `width` columns; a longer word stands alone. Empty
/// lines are kept.
std::vector<std::string> wrap(std::string_view text, size_t width);

class Table {
 public:
  /// Heads in capitals. No heads prints no head line.
  explicit Table(std::vector<std::string> heads) : heads_(std::move(heads)) {}

  /// Aligns column `column` (from 0) to the right: for numbers.
  Table& right(size_t column);
  /// Adds a row; missing cells are empty. A newline or other control character shows as a space.
  Table& row(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }

  /// Two spaces between columns, none at line ends.
  void print(std::ostream& out) const;

 private:
  std::vector<std::string> heads_;
  std::vector<std::vector<std::string>> rows_;
  std::vector<size_t> right_;
};

}  // namespace aictl::cli
