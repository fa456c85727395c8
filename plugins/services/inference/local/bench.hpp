// bench: prefill and decode of a model or a shape, beside the ceilings measured in the same run.
#pragma once

#include <functional>
#include <string_view>

#include "core/base/result.hpp"
#include "core/plugin/backend.hpp"
#include "core/plugin/runtime.hpp"

namespace aictl::inference {

/// See Runtime::bench. Keys: shape, dtype, backend{name,isa,threads,device},
/// weights{bytes,linear_parameters}, ceilings{read_gbs,int8_tops,f32_tflops},
/// prefill{tokens,seconds,tokens_per_second,tops},
/// decode{batch,steps,seconds_per_step,tokens_per_second,gbs}, prefill_share, decode_share.
Result<Json> bench_model(const BenchOptions& options, const EngineSettings& settings,
                         Backend& backend, const std::function<void(std::string_view)>& progress);

/// {"backend":{...},"ceilings":{...}}
Json bench_ceilings(Backend& backend);

}  // namespace aictl::inference
