// The vocabulary of a model file as raw arrays, for text/ to check and index.
#pragma once

#include "core/base/result.hpp"
#include "plugins/services/inference/spec/meta.hpp"
#include "plugins/services/inference/text/vocab.hpp"

namespace aictl::inference {

/// Reads `tokenizer.ggml.*`. The views live as long as `file`. Errors: kDataRefused without a
/// vocabulary, kDataRefused for a key of a wrong type or arrays of different lengths.
Result<VocabSource> read_vocab_source(const Meta& file);

}  // namespace aictl::inference
