// Text to tokens and back, messages to text: what needs no engine.
#include "plugins/services/inference/api/api.hpp"

#include <fmt/format.h>

#include "plugins/services/inference/api/answer/engine_run.hpp"
#include "plugins/services/inference/text/detokenizer.hpp"

namespace aictl::inference {
namespace {

void respond_json(http::Exchange& exchange, const Json& body) {
  exchange.respond(http::Response::json(200, dump_json(body)));
}

Json pieces_of(const std::vector<int32_t>& tokens, const Tokenizer& tokenizer, bool as_bytes) {
  Json pieces = Json::array();
  for (const int32_t id : tokens) {
    const TokenText text = token_text(tokenizer, id);
    pieces.push_back(as_bytes ? openai::piece_json(text.bytes) : Json(text.text));
  }
  return pieces;
}

}  // namespace

void InferenceApi::tokenize(Asked asked, const Json& body) {
  auto parsed = openai::parse_tokenize(body, {options_.strict});
  if (!parsed) return respond_error(asked.exchange, parsed.error());
  auto model = served_.find_or_first(parsed->model);
  if (!model) return respond_error(asked.exchange, model.error());
  const ServedModel& served = **model;

  std::vector<int32_t> tokens;
  if (parsed->conversation) {
    auto prompt =
        chat_prompt(*parsed->conversation, served.chat_template, *served.tokenizer, now());
    if (!prompt) return respond_error(asked.exchange, prompt.error());
    tokens = std::move(prompt->tokens);
  } else {
    auto encoded = served.tokenizer->encode(
        parsed->text, {.add_special = parsed->add_special, .parse_special = parsed->parse_special});
    if (!encoded) return respond_error(asked.exchange, openai::api_error(encoded.error()));
    tokens = std::move(*encoded);
  }
  const Json pieces =
      parsed->with_pieces ? pieces_of(tokens, *served.tokenizer, parsed->content_form) : Json();
  respond_json(asked.exchange,
               parsed->content_form
                   ? openai::tokenize_content_json(tokens, pieces)
                   : openai::tokenize_json(tokens, served.engine->max_context(), pieces));
}

void InferenceApi::detokenize(Asked asked, const Json& body) {
  auto parsed = openai::parse_detokenize(body, {options_.strict});
  if (!parsed) return respond_error(asked.exchange, parsed.error());
  auto model = served_.find_or_first(parsed->model);
  if (!model) return respond_error(asked.exchange, model.error());
  const Tokenizer& tokenizer = *(*model)->tokenizer;
  for (size_t i = 0; i < parsed->tokens.size(); ++i)
    if (!tokenizer.vocab().has(parsed->tokens[i]))
      return respond_error(
          asked.exchange,
          openai::invalid_value(fmt::format("tokens[{}]", i),
                                fmt::format("token {} is not in the vocabulary of {}",
                                            parsed->tokens[i], tokenizer.vocab().size())));
  respond_json(asked.exchange, openai::detokenize_json(aictl::detokenize(tokenizer, parsed->tokens,
                                                                         {.show_control = true})));
}

void InferenceApi::apply_template(Asked asked, const Json& body) {
  auto parsed = openai::parse_apply_template(body, {options_.strict});
  if (!parsed) return respond_error(asked.exchange, parsed.error());
  auto model = served_.find_or_first(parsed->model);
  if (!model) return respond_error(asked.exchange, model.error());
  auto prompt =
      chat_prompt(parsed->conversation, (*model)->chat_template, *(*model)->tokenizer, now());
  if (!prompt) return respond_error(asked.exchange, prompt.error());
  respond_json(asked.exchange, {{"prompt", prompt->text}});
}

}  // namespace aictl::inference
