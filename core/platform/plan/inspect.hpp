// What a model of a spec is, from its file, its config.json or its shape.
#pragma once

#include <filesystem>
#include <string>

#include "core/base/result.hpp"
#include "core/placement/model/shape.hpp"
#include "core/platform/spec/platform.hpp"
#include "core/plugin/plugins.hpp"

namespace aictl::platform {

/// `reference` is a shape (llama:8b:q4_k_m), a GGUF file or name, a safetensors file or a folder
/// with some and config.json. `config`: the config.json of safetensors, when it lies elsewhere;
/// `quant`: what a shape without one has. Errors: as the readers', naming the file.
Result<placement::ModelShape> open_shape(const Plugins& plugins, const std::string& reference,
                                         const std::string& config, const std::string& quant);

/// The shape a config.json alone tells; `quant` wins over what it says, and may be empty.
Result<placement::ModelShape> config_shape(const std::string& path, const std::string& quant);

/// The sizes of a model; paths are relative to `folder`. Errors: kDataRefused naming the field, and
/// how to give what is missing.
Result<placement::ModelShape> inspect_entry(const Plugins& plugins, const ModelEntry& entry,
                                            const std::filesystem::path& folder);

}  // namespace aictl::platform
