// bench: prefill and decode of a model or a shape, beside the ceilings measured in the same run.
#pragma once

#include <functional>
#include <string_view>

#include "core/base/result.hpp"
#include "core/plugin/backend.hpp"
#include "core/plugin/runtime.hpp"

namespace aictl::inference {

/// See Runtime::bench. Keys: shape, dtype, backend{name,isa,threads,device},
/// weights{bytes,linear_parameters,head_parameters,resident_bytes},
/// ceilings{read_gbs,int8_tops,f32_tflops} (the best of the run),
/// prefill{tokens,seconds,tokens_per_second,tops,shares[]},
/// decode{batch,depth,seconds_per_step,tokens_per_second,gbs,shares[]}, core_share (of the cores'
/// time, what this process had), prefill_share, decode_share. Figures are medians of the
/// repetitions; a share is of the ceilings measured just before and after its repetition.
Result<Json> bench_model(const BenchOptions& options, const EngineSettings& settings,
                         Backend& backend, const std::function<void(std::string_view)>& progress);

/// {"backend":{...},"ceilings":{...}}
Json bench_ceilings(Backend& backend);

}  // namespace aictl::inference
