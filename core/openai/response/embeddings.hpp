// Answers to embedding requests.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/value/json.hpp"

namespace aictl::openai {

/// Cuts `vector` to `dimensions` and scales what is left to length 1; a zero vector stays zero.
void cut_embedding(std::vector<float>& vector, size_t dimensions);

std::string base64(std::string_view bytes);

/// Base64 of the little-endian float32 bytes: what the official clients ask for.
std::string base64_floats(std::span<const float> values);

/// `{object:"list",data:[{object,index,embedding}],model,usage}`.
Json embeddings_json(std::string_view model, std::span<const std::vector<float>> vectors,
                     bool as_base64, int64_t prompt_tokens);

}  // namespace aictl::openai
