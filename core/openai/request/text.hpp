// Requests whose input is text or token ids: completions, embeddings, tokenize and detokenize; and
// apply-template, which makes text.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/openai/errors.hpp"
#include "core/openai/request/chat.hpp"
#include "core/openai/request/generation.hpp"

namespace aictl::openai {

/// A prompt as sent: text, or token ids taken as they are.
using TextOrIds = std::variant<std::string, std::vector<int32_t>>;

struct CompletionRequest {
  GenerationFields generation;
  std::vector<TextOrIds> prompts;  // at least one
  bool echo = false;               // the prompt comes before the text
  bool add_special_tokens = true;  // the tokenizer's own, such as BOS
  int logprobs = -1;               // 0..5 alternatives; -1: no logprobs
};

struct EmbeddingsRequest {
  std::string model;
  std::vector<TextOrIds> inputs;  // at least one
  bool base64 = false;
  std::optional<int> dimensions;  // cut to so many, and scaled to length 1 again
  std::optional<int> keep_prompt_tokens;
};

/// vLLM's form (prompt or messages) or llama-server's (content).
struct TokenizeRequest {
  std::string model;
  bool content_form = false;                 // llama-server's: the answer has `tokens` only
  std::string text;                          // prompt or content
  std::optional<Conversation> conversation;  // messages instead of a text
  bool add_special = true;
  bool parse_special = false;  // special tokens written in the text become tokens
  bool with_pieces = false;    // return_token_strs or with_pieces
};

struct DetokenizeRequest {
  std::string model;
  std::vector<int32_t> tokens;
};

struct ApplyTemplateRequest {
  std::string model;
  Conversation conversation;
};

ApiResult<CompletionRequest> parse_completion(const Json& body, const ParseOptions& options = {});
ApiResult<EmbeddingsRequest> parse_embeddings(const Json& body, const ParseOptions& options = {});
ApiResult<TokenizeRequest> parse_tokenize(const Json& body, const ParseOptions& options = {});
ApiResult<DetokenizeRequest> parse_detokenize(const Json& body, const ParseOptions& options = {});
ApiResult<ApplyTemplateRequest> parse_apply_template(const Json& body,
                                                     const ParseOptions& options = {});

}  // namespace aictl::openai
