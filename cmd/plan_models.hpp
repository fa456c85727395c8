// The models `aictl plan` is asked to place, as shapes.
#pragma once

#include <string>
#include <vector>

#include "cmd/app.hpp"
#include "core/placement/plan/plan.hpp"

namespace aictl {

/// `reference` is a shape (llama:8b:q4_k_m), a GGUF file or name, a safetensors file or a folder
/// with some and config.json. `config`: the config.json of safetensors, when it lies elsewhere;
/// `quant`: what a shape without one has. Errors: as the readers', naming the file.
Result<placement::ModelShape> open_shape(App& app, const std::string& reference,
                                         const std::string& config, const std::string& quant);

/// The models of a platform's spec with what it wants of each; `quant`: what a shape without one
/// has. Errors: as load_platform and open_shape, naming the model; kUnsupported for a repository of
/// a hub that no table has.
Result<void> platform_models(App& app, const std::string& file, const std::string& quant,
                             placement::PlanRequest& request);

/// Fills where the shape's files lie on this machine, and what the page cache has of them.
void find_files(placement::ModelShape& shape);

/// The shape a config.json alone tells; `quant` wins over what it says, and may be empty.
Result<placement::ModelShape> config_shape(const std::string& path, const std::string& quant);

}  // namespace aictl
