// The lines of a pasted terminal, as words and cells.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace aictl::nvidia_smi {

/// One line without colours, carriage returns and exotic blanks. `number` counts from 1.
struct Line {
  int number = 0;
  std::string text;

  bool blank() const { return text.find_first_not_of(" \t") == std::string::npos; }
  /// Runs of blanks separate.
  std::vector<std::string> words() const;
  /// Tabs separate where the line has some, and cells may be empty; else runs of blanks do.
  std::vector<std::string> cells() const;
};

std::vector<Line> lines_of(std::string_view text);

}  // namespace aictl::nvidia_smi
