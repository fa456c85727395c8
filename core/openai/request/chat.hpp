// Chat requests: messages as a template takes them, the template's own fields, and the generation
// fields. Also for /tokenize and /apply-template, which render messages without generating.
#pragma once

#include <optional>
#include <string>

#include "core/openai/errors.hpp"
#include "core/openai/request/generation.hpp"
#include "core/value/json.hpp"

namespace aictl::openai {

/// What a chat template is rendered from.
struct Conversation {
  /// `[{role, content, ...}]`: text parts joined by line feeds, `developer` as system, tool call
  /// arguments as objects, the old function forms as tools, thinking as `reasoning_content`.
  Json messages = Json::array();
  Json tools;                    // an array, or null when there are none
  Json kwargs = Json::object();  // chat_template_kwargs and what reasoning_effort says
  bool add_generation_prompt = true;
  bool continue_final_message = false;  // the last message, an assistant's, is to be gone on with
};

struct ChatRequest {
  GenerationFields generation;
  Conversation conversation;
  int logprobs = -1;            // top_logprobs; -1: no logprobs
  Json metadata;                // string pairs to give back; null when absent
  bool one_call = false;        // parallel_tool_calls false: at most one tool call
  bool split_reasoning = true;  // thinking is parsed out; reasoning_format none leaves it in
};

/// Errors name the field at fault ("messages[2].content[0].image_url") and carry its value.
ApiResult<ChatRequest> parse_chat(const Json& body, const ParseOptions& options = {});

/// Reads messages, tools and the template's fields. For every endpoint that renders.
void read_conversation(Reader& reader, Conversation& out);

/// One message in the form Conversation holds. Errors name fields under `path` ("messages[2]").
ApiResult<Json> normalize_message(const Json& message, const std::string& path);

}  // namespace aictl::openai
