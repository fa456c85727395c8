#include "core/placement/plan/wishes.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cmath>

#include <fmt/format.h>

#include "core/base/nearest.hpp"
#include "core/base/units.hpp"
#include "core/placement/model/formats.hpp"
#include "core/topology/bandwidth.hpp"

namespace aictl::placement {
namespace {

std::pair<std::string_view, std::string_view> halves(std::string_view part) {
  const size_t equals = part.find('=');
  if (equals == part.npos) return {part, ""};
  return {part.substr(0, equals), part.substr(equals + 1)};
}

std::string letters_and_digits(std::string_view text) {
  std::string out;
  for (const unsigned char c : text)
    if (std::isalnum(c)) out += char(std::toupper(c));
  return out;
}

}  // namespace

PlanRequest request_of(const PlanRequest& request, size_t model) {
  PlanRequest own = request;
  if (model >= request.wishes.size()) return own;
  const ModelWish& wish = request.wishes[model];
  if (wish.context > 0) own.context = wish.context;
  if (wish.concurrency > 0) own.concurrency = wish.concurrency;
  if (wish.tp > 0) own.tp = wish.tp;
  if (wish.replicas > 0) own.replicas = wish.replicas;
  if (wish.slo.ttft) own.slo.ttft = wish.slo.ttft;
  if (wish.slo.tpot) own.slo.tpot = wish.slo.tpot;
  return own;
}

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

Result<std::string> parse_gpu(const std::string& text) {
  if (text.empty()) return std::string();
  if (const topology::GpuSpec* spec = topology::gpu_spec(text)) return std::string(spec->name);
  const std::vector<std::string_view> names = topology::gpu_names();
  std::vector<std::string> plain;  // "MI250XGCD": slips of case and spaces are none
  for (const std::string_view name : names) plain.push_back(letters_and_digits(name));
  const std::vector<std::string_view> candidates(plain.begin(), plain.end());
  const std::string near = nearest(letters_and_digits(text), candidates);
  const size_t at = size_t(std::ranges::find(plain, near) - plain.begin());
  return Error{ErrorCode::kInvalidArgument, fmt::format("--gpu: no GPU model '{}' is known", text),
               at < names.size() ? fmt::format("did you mean '{}'?", names[at])
                                 : fmt::format("known are {}", fmt::join(names, ", "))};
}

Engine suitable_engine(const Topology& topology, const PlanRequest& request) {
  const bool own = std::ranges::find(request.backends, "cuda") != request.backends.end();
  const bool gpus = !request.cpu_only && std::ranges::any_of(topology.gpus, [&](const auto& gpu) {
    return !own || gpu.vendor == "AMD" || gpu.vendor == "Intel";
  });
  return gpus ? Engine::kVllm : Engine::kAictl;
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
