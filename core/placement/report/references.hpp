// What an engine is told a model is: a file, a folder, a hub's repository, or a variable to set.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "core/placement/cost/engine.hpp"
#include "core/placement/model/shape.hpp"

namespace aictl::placement {

/// One word of a POSIX shell. Where the model is not at hand in a form that the engine reads, it is
/// "${MODEL:?...}": the shell says what to set MODEL to, and starts nothing until it is. Empty: the
/// engine reads no weights of this format.
std::string model_word(const ModelShape& shape, Engine engine);

/// Whether the engine computes with the shape's weights on CPUs: vLLM with plain ones alone.
bool reads_on_cpu(const ModelShape& shape, Engine engine);

/// The shape ("llama:8b") and weight format of a vendor's repository, such as
/// "meta-llama/Llama-3.1-8B-Instruct"; empty when it is not one of the table.
std::pair<std::string_view, std::string_view> shape_of_repository(std::string_view name);

/// Flags that `vllm serve` needs for the weights model_word names; usually none.
std::string vllm_weight_flags(const ModelShape& shape);

/// `word` as one word of a POSIX shell.
std::string shell_word(std::string_view word);

}  // namespace aictl::placement
