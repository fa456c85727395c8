#include "core/placement/plan/wishes.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>

#include <fmt/format.h>

#include "core/base/nearest.hpp"
#include "core/base/units.hpp"
#include "core/placement/model/formats.hpp"

namespace aictl::placement {
namespace {

std::pair<std::string_view, std::string_view> halves(std::string_view part) {
  const size_t equals = part.find('=');
  if (equals == part.npos) return {part, ""};
  return {part.substr(0, equals), part.substr(equals + 1)};
}

}  // namespace

Result<Slo> parse_slo(const std::vector<std::string>& parts) {
  Slo slo;
  for (const std::string& part : parts) {
    const auto [name, value] = halves(part);
    if (name != "ttft" && name != "tpot")
      return Error{ErrorCode::kInvalidArgument, fmt::format("--slo has no '{}'", name),
                   "such as ttft=500ms,tpot=40ms"};
    auto duration = parse_duration(value);
    if (!duration) return std::move(duration).error().within(fmt::format("--slo {}", name));
    const double seconds = std::chrono::duration<double>(*duration).count();
    (name == "ttft" ? slo.ttft : slo.tpot) = seconds;
  }
  return slo;
}

Result<TermWeights> parse_weights(const std::vector<std::string>& parts) {
  TermWeights weights{};
  for (const std::string& part : parts) {
    const auto [name, value] = halves(part);
    const auto at = std::find(kTerms.begin(), kTerms.end(), name);
    if (at == kTerms.end()) {
      std::string hint = did_you_mean(name, kTerms);
      return Error{ErrorCode::kInvalidArgument, fmt::format("the objective has no term '{}'", name),
                   hint.empty() ? fmt::format("its terms are {}", fmt::join(kTerms, ", "))
                                : std::move(hint)};
    }
    double weight = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), weight);
    if (error != std::errc() || end != value.data() + value.size() || !std::isfinite(weight) ||
        weight < 0)
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("--weights {}: '{}' is not a number of 0 or more", name, value),
                   "such as goodput=5,gpus=1"};
    weights[size_t(at - kTerms.begin())] = weight;
  }
  return weights;
}

Result<std::vector<std::string>> parse_quants(const std::vector<std::string>& names) {
  std::vector<std::string> quants;
  for (const std::string& name : names) {
    quants.push_back(canonical_quant(name));
    if (quants.back().empty())
      return Error{ErrorCode::kInvalidArgument, fmt::format("no weight format '{}' is known", name),
                   "such as bf16, fp8, q8_0, q6_k, q4_k_m or awq"};
  }
  return quants;
}

}  // namespace aictl::placement
