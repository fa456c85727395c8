// What a sampler needs to know before it works: parameters checked, lists in order.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "plugins/services/inference/sample/sampler.hpp"

namespace aictl::inference {
namespace {

constexpr int kMaxLogprobs = 1024;

Result<void> check_token(const char* name, int32_t id, int vocab) {
  if (id >= 0 && id < vocab) return {};
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("{}: token {} is not in 0..{}", name, id, vocab - 1), ""};
}

}  // namespace

Result<SampleSettings> prepare_sampling(SamplingParams params, std::vector<int32_t> dry_breakers,
                                        std::vector<int32_t> end_tokens, int min_tokens,
                                        int vocab) {
  if (auto wrong = out_of_range(params))
    return Error{ErrorCode::kInvalidArgument, std::move(*wrong), ""};
  if (params.logprobs < -1 || params.logprobs > kMaxLogprobs)
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("logprobs {} is not in -1..{}", params.logprobs, kMaxLogprobs), ""};
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
