#include "core/openai/response/embeddings.hpp"

#include <bit>
#include <cmath>
#include <cstdint>

namespace aictl::openai {

void cut_embedding(std::vector<float>& vector, size_t dimensions) {
  if (dimensions < vector.size()) vector.resize(dimensions);
  double squares = 0;
  for (const float v : vector) squares += static_cast<double>(v) * v;
  if (squares <= 0) return;
  const double scale = 1 / std::sqrt(squares);
  for (float& v : vector) v = static_cast<float>(v * scale);
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    const size_t present = std::min<size_t>(3, bytes.size() - i);
    for (size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < present ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (size_t k = 0; k < 4; ++k) out += k <= present ? kLetters[group >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

std::string base64_floats(std::span<const float> values) {
  std::string bytes;
  bytes.reserve(values.size() * 4);
  for (const float value : values) {
    const auto bits = std::bit_cast<uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(bits >> shift & 0xFF);
  }
  return base64(bytes);
}

Json embeddings_json(std::string_view model, std::span<const std::vector<float>> vectors,
                     bool as_base64, int64_t prompt_tokens) {
  Json data = Json::array();
  for (const std::vector<float>& vector : vectors) {
    const size_t index = data.size();
    data.push_back({{"object", "embedding"},
                    {"index", index},
                    {"embedding", as_base64 ? Json(base64_floats(vector)) : Json(vector)}});
  }
  return {{"object", "list"},
          {"data", std::move(data)},
          {"model", model},
          {"usage", {{"prompt_tokens", prompt_tokens}, {"total_tokens", prompt_tokens}}}};
}

}  // namespace aictl::openai
