// A result as rows of text: for a terminal, and for spreadsheets.
#pragma once

#include <string>
#include <vector>

#include "core/value/json.hpp"

namespace aictl::load {

/// A row of cells a metric: name, unit, n, mean, p50, p90, p95, p99, p99.9, max.
std::vector<std::vector<std::string>> metric_rows(const Json& result);
/// Name and value of what is not a distribution: requests, rates, goodput, the client's own state.
std::vector<std::pair<std::string, std::string>> summary_rows(const Json& result);

/// The metrics flattened: metric,unit,n,mean,std,min,max,p50,...; rates have value alone.
std::string result_csv(const Json& result);

/// A number as people read it: three significant digits, more where they are whole.
std::string short_number(double value);

}  // namespace aictl::load
