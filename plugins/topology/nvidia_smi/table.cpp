#include "plugins/topology/nvidia_smi/table.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "plugins/topology/nvidia_smi/lines.hpp"

namespace aictl::nvidia_smi {
namespace {

constexpr size_t kMaxDevices = 256;  // of a table; more than any host shows
constexpr size_t kMaxMessage = 300;
constexpr size_t kMaxShown = 40;  // bytes of a bad cell in a message

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

Error refused(int line, std::string what) {
  return {ErrorCode::kDataRefused, fmt::format("line {}: {}", line, what.substr(0, kMaxMessage)),
          "expected the output of nvidia-smi topo -m"};
}

bool has_link(const std::vector<std::string>& words) {
  return std::any_of(words.begin(), words.end(), is_link);
}

/// A row starts with a device and goes on with links; a header has GPUs and no links.
bool starts_row(const Line& line) {
  const std::vector<std::string> words = line.words();
  if (words.size() < 2 || is_link(words[0])) return false;
  return is_link(words[1]) || (is_gpu(words[0]) && has_link(words));
}

bool is_gpu_row(const Line& line) { return starts_row(line) && is_gpu(line.words()[0]); }

bool starts_header(const Line& line) {
  const std::vector<std::string> words = line.words();
  return !words.empty() && is_gpu(words[0]) && !has_link(words);
}

/// Reads the words of a header: devices, then headings of several words.
Result<void> read_header(int line, const std::vector<std::string>& words, Table& table) {
  static const std::set<std::string> kFirst = {"CPU", "NUMA", "GPU"};
  std::set<std::string> known;
  size_t at = 0;
  for (; at < words.size() && !kFirst.contains(words[at]); ++at) {
    if (!known.insert(words[at]).second)
      return refused(line,
                     fmt::format("column '{}' stands there twice", words[at].substr(0, kMaxShown)));
    if (known.size() > kMaxDevices)
      return refused(line, fmt::format("more than {} devices", kMaxDevices));
    table.devices.push_back(words[at]);
  }
  // "CPU Affinity NUMA Affinity GPU NUMA ID": a heading ends with Affinity or ID.
  std::string heading;
  for (; at < words.size(); ++at) {
    heading += heading.empty() ? words[at] : " " + words[at];
    if (words[at] != "Affinity" && words[at] != "ID") continue;
    table.headings.push_back(std::exchange(heading, ""));
  }
  if (!heading.empty()) table.headings.push_back(heading);
  return {};
}

/// The cells of a row without the empty ones, where those would shift the matrix.
std::vector<std::string> without_gaps(const std::vector<std::string>& cells, size_t devices) {
  std::vector<std::string> full;
  std::copy_if(cells.begin(), cells.end(), std::back_inserter(full),
               [](const std::string& cell) { return !cell.empty(); });
  const bool gap = std::find(cells.begin(), cells.begin() + std::min(devices, cells.size()), "") !=
                   cells.begin() + std::min(devices, cells.size());
  const bool whole =
      full.size() >= devices && std::all_of(full.begin(), full.begin() + devices, is_link);
  return gap && whole ? full : cells;
}

/// Puts what follows the matrix under its headings. Newer drivers print an empty cell before the
/// last one; a paste with blanks for tabs has lost the empty cells altogether.
std::vector<std::string> under_headings(std::vector<std::string> facts, bool tabs,
                                        size_t headings) {
  while (tabs && facts.size() > headings && facts.size() > 1) {
    const auto gap = std::find(facts.rbegin(), facts.rend(), "");
    if (gap == facts.rend()) break;
    facts.erase(std::next(gap).base());
  }
  // A lone number first is a memory node: the list of CPUs was empty.
  const bool no_cpus =
      !tabs && facts.size() + 1 == headings && facts.size() > 1 && is_number(facts[0]);
  if (no_cpus) facts.insert(facts.begin(), "");
  facts.resize(headings);
  return facts;
}

Result<Row> read_row(const Line& line, const Table& table) {
  const bool tabs = line.text.find('\t') != std::string::npos;
  std::vector<std::string> cells = line.cells();
  while (!cells.empty() && cells.front().empty()) cells.erase(cells.begin());
  Row row{line.number, cells.front(), {}, 0, {}};
  cells.erase(cells.begin());
  const size_t devices = table.devices.size();
  cells = without_gaps(cells, devices);
  const size_t matrix = std::min(devices, cells.size());
  row.cells.assign(cells.begin(), cells.begin() + matrix);
  row.facts = under_headings({cells.begin() + matrix, cells.end()}, tabs, table.headings.size());
  for (size_t i = 0; i < row.cells.size(); ++i)
    if (!row.cells[i].empty() && !is_link(row.cells[i]))
      return refused(line.number, fmt::format("'{}' under {} is no link",
                                              row.cells[i].substr(0, kMaxShown), table.devices[i]));
  if (row.cells.size() < devices && is_gpu(row.name))
    return refused(line.number, fmt::format("{} has {} cells for {} devices", row.name,
                                            row.cells.size(), devices));
  const auto told = [](const std::string& cell) { return !cell.empty(); };
  row.reach = std::find_if(row.cells.rbegin(), row.cells.rend(), told).base() - row.cells.begin();
  row.cells.resize(devices);
  return row;
}

/// "  NIC0: mlx5_10" of the legend.
void read_legend(const Line& line, Table& table) {
  const std::vector<std::string> words = line.words();
  if (words.size() != 2 || words[0].size() < 2 || words[0].back() != ':') return;
  table.legend.emplace(words[0].substr(0, words[0].size() - 1), words[1]);
}

std::set<std::string> set_of(const std::vector<std::string>& words) {
  return {words.begin(), words.end()};
}

/// Whether a line is the upper part of a header whose devices go on below it: names of devices
/// alone, none of which stands there again. Headings end a header, so they are none of it.
bool goes_on(const Line& line, const std::set<std::string>& labels, std::set<std::string>& below) {
  const std::vector<std::string> words = line.words();
  const bool devices = std::all_of(words.begin(), words.end(), [&](const std::string& word) {
    return (is_gpu(word) || labels.contains(word)) && below.insert(word).second;
  });
  return devices && !words.empty() && is_gpu(words[0]);
}

/// The first line of the header above `first_row`: the last one that starts with a GPU, or higher
/// where a narrow terminal broke the header within its devices.
std::optional<size_t> header_above(const std::vector<Line>& lines, size_t first_row) {
  size_t top = first_row;
  while (top > 0 && !starts_header(lines[top - 1])) --top;
  if (top-- == 0) return std::nullopt;
  std::set<std::string> labels, below;
  for (size_t i = first_row; i < lines.size(); ++i)
    if (starts_row(lines[i])) labels.insert(lines[i].words()[0]);
  for (size_t i = top; i < first_row; ++i) below.merge(set_of(lines[i].words()));
  while (top > 0 && goes_on(lines[top - 1], labels, below)) --top;
  return top;
}

/// A row that a narrow terminal broke goes on where the next line starts with a link.
Line joined(const std::vector<Line>& lines, size_t& at, size_t devices) {
  Line line = lines[at];
  while (at + 1 < lines.size() && line.words().size() <= devices) {
    const std::vector<std::string> next = lines[at + 1].words();
    if (next.empty() || !is_link(next[0]) || (next.size() > 1 && next[1] == "=")) break;
    line.text += "\t" + lines[++at].text;
  }
  return line;
}

/// Takes the beginning of a link, "P", off the end of a row of a NIC that the text ends within.
void drop_torn_cell(Line& last, const std::set<std::string>& devices) {
  static constexpr std::string_view kLinks[] = {"PIX", "PXB", "PHB", "NODE", "NV", "SYS", "SOC"};
  const std::vector<std::string> words = last.words();
  if (words.size() < 2 || is_gpu(words[0]) || !devices.contains(words[0])) return;
  const std::string& torn = words.back();
  if (is_link(torn) || std::none_of(std::begin(kLinks), std::end(kLinks),
                                    [&](std::string_view s) { return s.starts_with(torn); }))
    return;
  last.text.resize(last.text.rfind(torn));
}

/// The last row when it is that of a NIC and shorter than those of other NICs, or of GPUs where it
/// is the only one. All rows of NICs may be short: then nothing was cut off.
std::string cut_off(const Table& table) {
  if (table.rows.empty() || is_gpu(table.rows.back().name)) return "";
  const Row& last = table.rows.back();
  size_t others = 0;
  for (const Row& row : table.rows)
    if (&row != &last && !is_gpu(row.name)) others = std::max(others, row.reach);
  if (others == 0) others = table.devices.size();
  if (last.reach >= others) return "";
  return fmt::format("line {}: {} has {} of {} cells: the table is cut off", last.line,
                     last.name.substr(0, kMaxShown), last.reach, others);
}

Result<void> read_rows(std::vector<Line> lines, size_t first, Table& table) {
  const std::set<std::string> devices = set_of(table.devices);
  std::set<std::string> seen;
  while (lines.back().blank()) lines.pop_back();  // ends at the first row
  drop_torn_cell(lines.back(), devices);
  for (size_t i = first; i < lines.size(); ++i) {
    const std::vector<std::string> words = lines[i].words();
    const bool bare = i + 1 == lines.size() && words.size() == 1 && !is_gpu(words[0]) &&
                      devices.contains(words[0]) && !seen.contains(words[0]);
    if (!starts_row(lines[i]) && !bare) {
      read_legend(lines[i], table);
      continue;
    }
    const std::string name = words[0], shown = name.substr(0, kMaxShown);
    const bool known = devices.contains(name);
    if (!known && !is_gpu(name)) continue;  // prose with an X in it
    if (!known)
      return refused(lines[i].number,
                     fmt::format("a row of '{}', which is not in the header", shown));
    if (!seen.insert(name).second)
      return refused(lines[i].number, fmt::format("a second row of '{}'", shown));
    auto row = read_row(joined(lines, i, table.devices.size()), table);
    if (!row) return std::move(row).error();
    table.rows.push_back(*std::move(row));
  }
  return {};
}

}  // namespace

bool is_gpu(std::string_view name) { return name.starts_with("GPU") && is_number(name.substr(3)); }

bool is_link(std::string_view cell) {
  static constexpr std::string_view kWords[] = {"X", "PIX", "PXB", "PHB", "NODE", "SYS", "SOC"};
  if (cell.starts_with("NV")) return is_number(cell.substr(2)) && cell.size() <= 5;
  return std::find(std::begin(kWords), std::end(kWords), cell) != std::end(kWords);
}

bool has_table(std::string_view text) {
  const std::vector<Line> lines = lines_of(text);
  return std::any_of(lines.begin(), lines.end(),
                     [](const Line& line) { return starts_header(line) || is_gpu_row(line); });
}

Result<Table> read_table(std::string_view text) {
  const std::vector<Line> lines = lines_of(text);
  size_t first = 0;
  while (first < lines.size() && !is_gpu_row(lines[first])) ++first;
  if (first == lines.size()) return refused(int(lines.size()), "no row of a GPU up to here");
  const auto header = header_above(lines, first);
  if (!header) return refused(lines[first].number, "a row without a header above it");

  Table table;
  std::vector<std::string> words;
  for (size_t i = *header; i < first; ++i)
    for (std::string& word : lines[i].words()) words.push_back(std::move(word));
  if (auto read = read_header(lines[*header].number, words, table); !read)
    return std::move(read).error();

  if (auto read = read_rows(lines, first, table); !read) return std::move(read).error();
  table.cut = cut_off(table);
  return table;
}

}  // namespace aictl::nvidia_smi
