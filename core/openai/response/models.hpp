// Answers about models and their tokens: the model list, /tokenize and /detokenize.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/value/json.hpp"

namespace aictl::openai {

struct ModelCard {
  std::string id;
  int64_t created = 0;  // Unix seconds
  std::string owned_by = "aictl";
  std::string status = "loaded";  // unloaded, loading, loaded, sleeping, failed
  int64_t context_trained = 0;    // tokens
  int64_t context = 0;            // tokens a request may have here
  int64_t parameters = 0;
  int64_t bytes = 0;
  std::string quantization;
  std::vector<std::string> capabilities;  // completion, embedding, chat, tools, thinking
};

/// One entry, readable by OpenAI's and Anthropic's clients.
Json model_json(const ModelCard& card);
/// The list of them, for both.
Json model_list_json(std::span<const ModelCard> cards);

/// RFC 3339, "2026-11-22T18:42:54Z".
std::string rfc3339(int64_t unix_seconds);

/// A token's text for /tokenize: a string, or its bytes when they are no valid UTF-8.
Json piece_json(std::string_view bytes);

/// vLLM's answer; `pieces` is null or an array.
Json tokenize_json(std::span<const int32_t> tokens, int64_t window, Json pieces);
/// llama-server's answer; with pieces each token is `{id,piece}`.
Json tokenize_content_json(std::span<const int32_t> tokens, const Json& pieces);
/// Both forms at once: `prompt` is vLLM's name for the text, `content` llama-server's.
Json detokenize_json(std::string_view text);

}  // namespace aictl::openai
