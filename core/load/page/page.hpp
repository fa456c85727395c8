// A result as a page: one file, its plots within, readable without a network.
#pragma once

#include <string>

#include "core/value/json.hpp"

namespace aictl::load {

/// `result` is of result_json or read_result.
std::string result_page(const Json& result);

}  // namespace aictl::load
