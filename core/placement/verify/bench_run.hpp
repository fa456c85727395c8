// One run of `aictl bench model` as a process of its own: a pin binds all of its threads and
// memory.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.hpp"

namespace aictl::placement {

/// Runs `program` with `words` and returns decode.tokens_per_second of the JSON it prints. Errors:
/// kUnavailable with its last words when it fails; kDataRefused when what it prints has no speed.
Result<double> bench_decode(const std::string& program, const std::vector<std::string>& words);

}  // namespace aictl::placement
