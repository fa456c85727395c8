#include "core/load/arrival/trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "core/value/json.hpp"

namespace aictl::load {
namespace {

constexpr int64_t kMaxTokens = 1 << 24;

template <typename T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (wrong != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<int64_t> tokens(std::string_view text) {
  const auto value = number<double>(text);  // some files have "512.0"
  if (!value || !(*value >= 0) || *value > kMaxTokens) return std::nullopt;
  return static_cast<int64_t>(*value);
}

std::vector<std::string_view> cells_of(std::string_view line) {
  std::vector<std::string_view> cells;
  for (size_t at = 0; at <= line.size();) {
    const size_t end = std::min(line.find(',', at), line.size());
    std::string_view cell = line.substr(at, end - at);
    if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"')
      cell = cell.substr(1, cell.size() - 2);
    cells.push_back(cell);
    at = end + 1;
  }
  return cells;
}

// Days since 1970-01-01 of a date of the Gregorian calendar (Howard Hinnant's algorithm).
int64_t days_from_civil(int64_t y, int64_t m, int64_t d) {
  y -= m <= 2;
  const int64_t era = (y >= 0 ? y : y - 399) / 400;
  const int64_t yoe = y - era * 400;
  const int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
  return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

// "2023-11-16 18:17:03.9799600", also with a T between and an offset behind, which is the same in
// all rows.
std::optional<double> time_of_day(std::string_view text) {
  if (text.size() < 19 || text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':')
    return std::nullopt;
  const auto year = number<int64_t>(text.substr(0, 4)), month = number<int64_t>(text.substr(5, 2)),
             day = number<int64_t>(text.substr(8, 2)), hour = number<int64_t>(text.substr(11, 2)),
             minute = number<int64_t>(text.substr(14, 2)),
             second = number<int64_t>(text.substr(17, 2));
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  double fraction = 0, unit = 0.1;
  if (text.size() > 19 && text[19] == '.')
    for (size_t i = 20; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i, unit /= 10)
      fraction += unit * (text[i] - '0');
  const int64_t whole =
      days_from_civil(*year, *month, *day) * 86400 + *hour * 3600 + *minute * 60 + *second;
  return static_cast<double>(whole) + fraction;
}

std::optional<TraceRow> mooncake_row(const Json& tree) {
  const auto get = [&](const char* key) -> std::optional<double> {
    const auto found = tree.find(key);
    if (found == tree.end() || !found->is_number()) return std::nullopt;
    return found->get<double>();
  };
  if (!tree.is_object()) return std::nullopt;
  const auto at = get("timestamp"), in = get("input_length"), out = get("output_length");
  if (!at || !in || !out || *in < 0 || *in > kMaxTokens || *out < 0 || *out > kMaxTokens)
    return std::nullopt;
  TraceRow row{*at / 1e3, static_cast<int64_t>(*in), static_cast<int64_t>(*out), {}};
  if (const auto ids = tree.find("hash_ids"); ids != tree.end()) {
    if (!ids->is_array()) return std::nullopt;
    for (const Json& id : *ids) {
      if (!id.is_number_integer()) return std::nullopt;
      row.blocks.push_back(id.get<int64_t>());
    }
  }
  return row;
}

// Which columns a CSV has its figures in.
struct Columns {
  size_t at, in, out;
  bool date;  // else seconds
};

std::optional<TraceRow> csv_row(std::string_view line, const Columns& columns) {
  const auto cells = cells_of(line);
  if (cells.size() <= std::max({columns.at, columns.in, columns.out})) return std::nullopt;
  const auto at = columns.date ? time_of_day(cells[columns.at]) : number<double>(cells[columns.at]);
  const auto in = tokens(cells[columns.in]), out = tokens(cells[columns.out]);
  if (!at || !in || !out || !std::isfinite(*at)) return std::nullopt;
  return TraceRow{*at, *in, *out, {}};
}

Result<Columns> columns_of(std::string_view head, std::string_view name) {
  const auto cells = cells_of(head);
  const auto find = [&](std::string_view wanted) {
    return static_cast<size_t>(std::find(cells.begin(), cells.end(), wanted) - cells.begin());
  };
  const Columns azure{find("TIMESTAMP"), find("ContextTokens"), find("GeneratedTokens"), true};
  const Columns burst{find("Timestamp"), find("Request tokens"), find("Response tokens"), false};
  for (const Columns& one : {azure, burst})
    if (std::max({one.at, one.in, one.out}) < cells.size()) return one;
  return Error{ErrorCode::kDataRefused,
               fmt::format("{}:1: not a trace this program reads: '{}'", name, head.substr(0, 80)),
               "Mooncake JSON lines, Azure's CSV and BurstGPT's CSV are read"};
}

}  // namespace

Result<Trace> parse_trace(std::string_view text, std::string_view name) {
  Trace trace;
  std::optional<Columns> columns;
  size_t number = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    at = end + 1;
    ++number;
    if (number == 1 && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    if (trace.format.empty()) {
      trace.format = "mooncake";
      if (line.front() != '{') {
        auto found = columns_of(line, name);
        if (!found) return std::move(found).error();
        columns = *found;
        trace.format = columns->date ? "azure" : "burstgpt";
        continue;
      }
    }
    std::optional<TraceRow> row;
    if (columns) {
      row = csv_row(line, *columns);
    } else if (auto tree = parse_json(line)) {
      row = mooncake_row(*tree);
    }
    if (!row)
      return Error{ErrorCode::kDataRefused,
                   fmt::format("{}:{}: not a row of the {} format: '{}'", name, number,
                               trace.format, line.substr(0, 80)),
                   ""};
    if (row->in_tokens == 0 || row->out_tokens == 0)
      ++trace.skipped;
    else
      trace.rows.push_back(std::move(*row));
  }
  if (trace.rows.empty())
    return Error{ErrorCode::kDataRefused, fmt::format("{}: no requests in it", name), ""};
  std::stable_sort(trace.rows.begin(), trace.rows.end(),
                   [](const TraceRow& a, const TraceRow& b) { return a.at < b.at; });
  const double first = trace.rows.front().at;
  for (TraceRow& row : trace.rows) row.at -= first;
  return trace;
}

}  // namespace aictl::load
