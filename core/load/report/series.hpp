// A run over time, and the lengths it had: what the plots are made of.
#pragma once

#include <span>

#include "core/load/drive/record.hpp"
#include "core/value/json.hpp"

namespace aictl::load {

/// The width of a bin: a second, less for short runs and more for very long ones.
double bin_seconds(double wall);

/// A row a bin: t (its beginning), rps, tps, running, ttft_p50, ttft_p95, itl_p50, itl_p95, failed;
/// null where nothing happened.
Json timeseries_json(std::span<const Record* const> records, double wall, double bin);

/// {in|out: {bins: [[low, high, n]], asked_mean, got_mean}}: what was asked for and what came.
Json lengths_json(std::span<const Record* const> measured);

}  // namespace aictl::load
