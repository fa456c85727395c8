#include "core/openai/response/models.hpp"

#include <ctime>

#include "core/base/utf8.hpp"

#include <fmt/format.h>

namespace aictl::openai {

std::string rfc3339(int64_t unix_seconds) {
  const std::time_t time = static_cast<std::time_t>(unix_seconds);
  std::tm parts{};
  gmtime_r(&time, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

Json model_json(const ModelCard& card) {
  return {{"id", card.id},
          {"object", "model"},
          {"created", card.created},
          {"owned_by", card.owned_by},
          {"type", "model"},
          {"display_name", card.id},
          {"created_at", rfc3339(card.created)},
          {"status", card.status},
          {"capabilities", card.capabilities},
          {"max_model_len", card.context},
          {"meta",
           {{"n_ctx_train", card.context_trained},
            {"n_ctx", card.context},
            {"n_params", card.parameters},
            {"size", card.bytes},
            {"quantization", card.quantization}}}};
}

Json model_list_json(std::span<const ModelCard> cards) {
  Json data = Json::array();
  for (const ModelCard& card : cards) data.push_back(model_json(card));
  return {{"object", "list"},
          {"data", std::move(data)},
          {"has_more", false},
          {"first_id", cards.empty() ? Json(nullptr) : Json(cards.front().id)},
          {"last_id", cards.empty() ? Json(nullptr) : Json(cards.back().id)}};
}

Json piece_json(std::string_view bytes) {
  if (utf8::is_valid(bytes)) return bytes;
  Json list = Json::array();
  for (const char c : bytes) list.push_back(static_cast<unsigned char>(c));
  return list;
}

Json tokenize_json(std::span<const int32_t> tokens, int64_t window, Json pieces) {
  return {{"tokens", std::vector<int32_t>(tokens.begin(), tokens.end())},
          {"count", tokens.size()},
          {"max_model_len", window},
          {"token_strs", std::move(pieces)}};
}

Json tokenize_content_json(std::span<const int32_t> tokens, const Json& pieces) {
  Json list = Json::array();
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (pieces.is_null())
      list.push_back(tokens[i]);
    else
      list.push_back({{"id", tokens[i]}, {"piece", pieces[i]}});
  }
  return {{"tokens", std::move(list)}};
}

Json detokenize_json(std::string_view text) { return {{"prompt", text}, {"content", text}}; }

}  // namespace aictl::openai
