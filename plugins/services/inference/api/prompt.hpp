// What a client sent -> the tokens an engine is given: templates rendered, text tokenised, the
// window checked. Nothing is ever cut that the client did not ask to have cut.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/openai/request/text.hpp"
#include "core/plugin/generation.hpp"
#include "plugins/services/inference/api/served.hpp"

namespace aictl::inference {

struct ChatText {
  std::string text;
  std::vector<int32_t> tokens;  // special ones only where the template wrote them
  size_t own = 0;               // from here to its end the text is the template's own
};

/// Renders the model's template and tokenises it. `now`: Unix seconds, for templates that print the
/// date. Errors: not_supported without a template; what the template raises, under `messages`.
openai::ApiResult<ChatText> chat_prompt(const openai::Conversation& conversation,
                                        const jinja::Template* chat_template,
                                        const Tokenizer& tokenizer, int64_t now);

/// Whether the template itself has opened the thinking of the reply.
bool opens_thinking(const ChatText& prompt, const ReplyFormat& format);

/// Text by the tokenizer, ids checked against the vocabulary. Errors name `param`.
openai::ApiResult<std::vector<int32_t>> text_prompt(const openai::TextOrIds& prompt,
                                                    const Tokenizer& tokenizer, bool add_special,
                                                    std::string_view param);

/// Cuts the front if `keep` says so (-1: what leaves room for `answer` tokens) and checks the rest
/// against the window, which must hold `answer` tokens more. Errors: context_length_exceeded.
std::optional<openai::ApiError> fit_window(std::vector<int32_t>& tokens, std::optional<int> keep,
                                           int window, int answer, std::string_view param);

/// The ids whose text holds one of the strings that interrupt a repetition (DRY).
std::vector<int32_t> breaker_ids(const std::vector<std::string>& breakers,
                                 const Tokenizer& tokenizer);

/// The engine's request for one prompt, the prompt itself left out. Errors: token ids outside the
/// vocabulary, bad words that are more than one token.
openai::ApiResult<GenerateRequest> engine_request(const openai::GenerationFields& fields,
                                                  const ServedModel& model);

}  // namespace aictl::inference
