// Ranges of the sampling parameters.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "plugins/services/inference/sample/sampler.hpp"

namespace aictl::inference {
namespace {

struct Range {
  const char* name;
  double value, least, most;
  const char* words;
};

std::vector<Range> ranges(const SamplingParams& p) {
  return {
      {"temperature", p.temperature, 0, 1e6, "0 or more"},
      {"dynatemp_range", p.dynatemp_range, 0, 1e6, "0 or more"},
      {"dynatemp_exponent", p.dynatemp_exponent, 0, 1e6, "0 or more"},
      {"top_k", static_cast<double>(p.top_k), 0, 2147483647, "0 or more"},
      {"top_p", p.top_p, 0, 1, "in 0..1"},
      {"min_p", p.min_p, 0, 1, "in 0..1"},
      {"typical_p", p.typical_p, 0, 1, "in 0..1"},
      {"top_n_sigma", p.top_n_sigma, 0, 1e6, "0 or more"},
      {"repetition_penalty", p.repetition_penalty, 1e-6, 1e6, "above 0"},
      {"frequency_penalty", p.frequency_penalty, -1e6, 1e6, "a number"},
      {"presence_penalty", p.presence_penalty, -1e6, 1e6, "a number"},
      {"repeat_last_n", static_cast<double>(p.repeat_last_n), -1, 2147483647, "-1 or more"},
      {"dry_multiplier", p.dry_multiplier, 0, 1e6, "0 or more"},
      {"dry_base", p.dry_base, 1, 1e6, "1 or more"},
      {"dry_allowed_length", static_cast<double>(p.dry_allowed_length), 1, 2147483647, "1 or more"},
      {"dry_penalty_last_n", static_cast<double>(p.dry_penalty_last_n), -1, 2147483647,
       "-1 or more"},
      {"xtc_probability", p.xtc_probability, 0, 1, "in 0..1"},
      {"xtc_threshold", p.xtc_threshold, 0, 1, "in 0..1"},
      {"mirostat", static_cast<double>(p.mirostat), 0, 2, "0, 1 or 2"},
      {"mirostat_tau", p.mirostat_tau, 0, 1e6, "0 or more"},
      {"mirostat_eta", p.mirostat_eta, 0, 1e6, "0 or more"},
      {"logprobs", static_cast<double>(p.logprobs), -1, 1024, "in -1..1024"}};
}

Result<void> check_token(const char* name, int32_t id, int vocab) {
  if (id >= 0 && id < vocab) return {};
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("{}: token {} is not in 0..{}", name, id, vocab - 1), ""};
}

}  // namespace

Result<SampleSettings> prepare_sampling(SamplingParams params, std::vector<int32_t> dry_breakers,
                                        std::vector<int32_t> end_tokens, int min_tokens,
                                        int vocab) {
  for (const Range& r : ranges(params))
    if (!(r.value >= r.least && r.value <= r.most))  // NaN is refused too
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("{} {} is not {}", r.name, r.value, r.words), ""};
  for (const auto& [id, bias] : params.logit_bias) {
    if (auto ok = check_token("logit_bias", id, vocab); !ok) return std::move(ok).error();
    if (!std::isfinite(bias))
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("logit_bias of token {} is not a finite number", id), ""};
  }
  for (const int32_t id : end_tokens)
    if (auto ok = check_token("stop token", id, vocab); !ok) return std::move(ok).error();
  if (params.order.empty())
    params.order = {SamplerKind::kTemperature, SamplerKind::kTopK, SamplerKind::kTypical,
                    SamplerKind::kTopP,        SamplerKind::kMinP, SamplerKind::kTopNSigma,
                    SamplerKind::kXtc};
  // A sampler listed again changes nothing: the first place counts.
  std::vector<SamplerKind> order;
  for (const SamplerKind kind : params.order)
    if (std::find(order.begin(), order.end(), kind) == order.end()) order.push_back(kind);
  params.order = std::move(order);
  std::sort(dry_breakers.begin(), dry_breakers.end());
  return SampleSettings{std::move(params), std::move(dry_breakers), std::move(end_tokens),
                        std::max(0, min_tokens)};
}

}  // namespace aictl::inference
