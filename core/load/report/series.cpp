#include "core/load/report/series.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/load/stats/sample.hpp"

namespace aictl::load {
namespace {

constexpr double kMostBins = 900;
constexpr size_t kLengthBins = 24;

double rounded(double value) { return std::round(value * 1e3) / 1e3; }

struct Bin {
  double done = 0, pieces = 0, busy = 0, failed = 0;
  std::vector<double> ttft, itl;
};

Json percentile_or_null(std::vector<double>& values, double p) {
  if (values.empty()) return nullptr;
  std::sort(values.begin(), values.end());
  return rounded(percentile(values, p) * 1e3);
}

// Adds the part of [from, to) that each bin has.
void spread(std::vector<Bin>& bins, double width, double from, double to) {
  for (double at = from; at < to;) {
    const auto index = std::min(static_cast<size_t>(at / width), bins.size() - 1);
    const double end =
        index + 1 == bins.size() ? to : std::min(to, static_cast<double>(index + 1) * width);
    bins[index].busy += end - at;
    at = std::max(end, std::nextafter(at, to));
  }
}

Json side_json(std::span<const Record* const> measured, int64_t Record::*asked,
               int64_t Record::*got) {
  std::vector<double> values;
  double asked_sum = 0;
  uint64_t asked_n = 0;
  for (const Record* record : measured) {
    if (record->*got > 0) values.push_back(static_cast<double>(record->*got));
    if (record->*asked > 0) asked_sum += static_cast<double>(record->*asked), ++asked_n;
  }
  Json out = {
      {"bins", Json::array()},
      {"asked_mean", asked_n ? Json(rounded(asked_sum / static_cast<double>(asked_n))) : Json()},
      {"got_mean", values.empty() ? Json() : Json(rounded(mean(values)))}};
  if (values.empty()) return out;
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const double low = *least;
  const double width = std::max(1.0, std::ceil((*most - low + 1) / kLengthBins));
  std::vector<uint64_t> counts(static_cast<size_t>((*most - low) / width) + 1);
  for (const double value : values) ++counts[static_cast<size_t>((value - low) / width)];
  for (size_t i = 0; i < counts.size(); ++i)
    out["bins"].push_back(Json::array({low + width * static_cast<double>(i),
                                       low + width * static_cast<double>(i + 1) - 1, counts[i]}));
  return out;
}

}  // namespace

double bin_seconds(double wall) {
  for (const double width : {0.05, 0.1, 0.25, 0.5})
    if (wall / width <= 60) return width;
  return std::max(1.0, std::ceil(wall / kMostBins));
}

Json timeseries_json(std::span<const Record* const> records, double wall, double bin) {
  std::vector<Bin> bins(static_cast<size_t>(wall / bin) + 1);
  const auto at = [&](double when) -> Bin& {
    return bins[std::min(static_cast<size_t>(std::max(0.0, when) / bin), bins.size() - 1)];
  };
  for (const Record* record : records) {
    if (record->failure == Failure::kConnect) {
      at(record->end).failed += 1;
      continue;
    }
    spread(bins, bin, record->sent, record->end);
    (record->ok() ? at(record->end).done : at(record->end).failed) += 1;
    if (record->pieces == 0) continue;
    at(record->first).ttft.push_back(record->ttft());
    at(record->first).pieces += 1;
    double when = record->first;
    for (const float gap : record->gaps) {
      when += double{gap};
      at(when).itl.push_back(double{gap});
      at(when).pieces += 1;
    }
  }
  Json out = Json::array();
  for (size_t i = 0; i < bins.size(); ++i) {
    Bin& one = bins[i];
    out.push_back({{"t", rounded(static_cast<double>(i) * bin)},
                   {"rps", rounded(one.done / bin)},
                   {"tps", rounded(one.pieces / bin)},
                   {"running", rounded(one.busy / bin)},
                   {"ttft_p50", percentile_or_null(one.ttft, 0.5)},
                   {"ttft_p95", percentile_or_null(one.ttft, 0.95)},
                   {"itl_p50", percentile_or_null(one.itl, 0.5)},
                   {"itl_p95", percentile_or_null(one.itl, 0.95)},
                   {"failed", one.failed}});
  }
  return out;
}

Json lengths_json(std::span<const Record* const> measured) {
  return {{"in", side_json(measured, &Record::asked_in, &Record::in)},
          {"out", side_json(measured, &Record::asked_out, &Record::out)}};
}

}  // namespace aictl::load
