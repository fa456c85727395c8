// verify determinism: the same requests under different circumstances, compared bit for bit.
#pragma once

#include <functional>
#include <string_view>

#include "core/base/result.hpp"
#include "core/plugin/plugins.hpp"
#include "core/plugin/runtime.hpp"
#include "plugins/services/inference/local/loaded_model.hpp"

namespace aictl::inference {

/// See Runtime::verify. `model` outlives the call.
Result<Json> verify_determinism(const TextModel& model, const VerifyOptions& options,
                                const EngineSettings& settings, const Plugins& plugins,
                                const std::function<void(std::string_view)>& progress);

}  // namespace aictl::inference
