// What people write after --slo, --weights and --quant, as values.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/placement/plan/plan.hpp"

namespace aictl::placement {

/// "ttft=500ms", "tpot=40ms". Errors: kInvalidArgument naming the part.
Result<Slo> parse_slo(const std::vector<std::string>& parts);

/// "goodput=5", a part for each term that counts; the others weigh nothing. Errors:
/// kInvalidArgument naming the part and the terms.
Result<TermWeights> parse_weights(const std::vector<std::string>& parts);

/// A GPU model by the table's name: "h100-80gb" is "H100 SXM"; empty stays empty. Errors:
/// kInvalidArgument with the nearest name, or all of them.
Result<std::string> parse_gpu(const std::string& text);

/// The engine that suits a machine when none is asked for: this program's own where one of its
/// `backends` computes there, else vLLM on GPUs.
Engine suitable_engine(const Topology& topology, const PlanRequest& request);

/// Weight formats by the table's spelling. Errors: kInvalidArgument naming the one that is unknown.
Result<std::vector<std::string>> parse_quants(const std::vector<std::string>& names);

}  // namespace aictl::placement
