// A Hugging Face config.json as a ModelShape: grouped and latent attention, windows, mixtures,
// recurrent layers.
#pragma once

#include "core/base/result.hpp"
#include "core/placement/model/shape.hpp"
#include "core/value/json.hpp"

namespace aictl::placement {

/// `place` stands for the file in messages. A model that also sees or hears keeps its text side in
/// text_config, which is what is read. `quant` wins over what the config says; empty: the config's.
/// Errors: kDataRefused naming the key, what was found and what was expected.
Result<ModelShape> shape_from_config(const Json& config, std::string_view place,
                                     std::string_view quant);

}  // namespace aictl::placement
