#include "plugins/services/inference/api/prompt.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace aictl::inference {
namespace {

using openai::ApiError;

// Names a template is given by us, which a client's chat_template_kwargs may not replace.
constexpr std::array<std::string_view, 6> kOwnNames{
    "messages", "tools", "documents", "bos_token", "eos_token", "add_generation_prompt"};

ApiError under_messages(const Error& error) {
  ApiError out = openai::api_error(error);
  if (out.status == 501 || out.status >= 500) return out;
  out.status = 400;
  out.type = "invalid_request_error";
  out.param = "messages";
  return out;
}

std::string spelling(const Tokenizer& tokenizer, int32_t id) {
  return tokenizer.vocab().has(id) ? std::string(tokenizer.vocab().text(id)) : std::string();
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const size_t first = text.find_first_not_of(kBlank);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// Where the last message's own text ends: looked for in what users wrote, from the end, because the
// template's words may hold it as well; npos when it is nowhere.
size_t end_of_last(const jinja::Rendered& rendered, std::string_view last) {
  const std::string_view text = rendered.text;
  for (const std::string_view wanted : {last, trimmed(last)}) {
    for (auto span = rendered.spans.rbegin(); span != rendered.spans.rend(); ++span) {
      if (span->trusted) continue;
      const size_t at = text.substr(span->begin, span->end - span->begin).rfind(wanted);
      if (at != text.npos) return span->begin + at + wanted.size();
    }
  }
  return text.npos;
}

// Ends the rendered text where the last message's own text ends, so that the model goes on with it.
std::optional<ApiError> cut_after(jinja::Rendered& rendered, std::string_view last) {
  const size_t end = end_of_last(rendered, last);
  if (end == std::string::npos)
    return openai::unsupported_value("continue_final_message",
                                     "the model's template changes the text of the last message, "
                                     "so it cannot be continued");
  rendered.text.resize(end);
  while (!rendered.spans.empty() && rendered.spans.back().begin >= end) rendered.spans.pop_back();
  if (!rendered.spans.empty()) rendered.spans.back().end = end;
  return std::nullopt;
}

std::optional<ApiError> add_kwargs(const Json& kwargs, Json& variables,
                                   jinja::RenderOptions& options) {
  for (const auto& [name, value] : kwargs.items()) {
    if (std::ranges::find(kOwnNames, name) != kOwnNames.end())
      return openai::invalid_value("chat_template_kwargs",
                                   fmt::format("chat_template_kwargs cannot set {}", name));
    variables[name] = value;
    options.untrusted.push_back(name);
  }
  return std::nullopt;
}

openai::ApiResult<std::vector<int32_t>> encode_rendered(const jinja::Rendered& rendered,
                                                        const Tokenizer& tokenizer) {
  std::vector<TextSpan> spans;
  spans.reserve(rendered.spans.size());
  const std::string_view text = rendered.text;
  for (const jinja::Span& span : rendered.spans)
    spans.push_back({text.substr(span.begin, span.end - span.begin), span.trusted});
  auto tokens = tokenizer.encode_spans(spans, false);
  if (!tokens) return under_messages(tokens.error());
  return std::move(*tokens);
}

// A word is banned with and without a blank before it, as long as it is one token.
std::optional<ApiError> ban(const std::string& word, size_t index, const Tokenizer& tokenizer,
                            SamplingParams& sampling) {
  const EncodeOptions plain{.add_special = false};
  auto bare = tokenizer.encode(word, plain);
  auto spaced = tokenizer.encode(" " + word, plain);
  if (!bare || !spaced) return openai::api_error((bare ? spaced : bare).error());
  if (bare->size() != 1)
    return openai::unsupported_value(
        "bad_words",
        fmt::format("bad_words[{}] is {} tokens; only words of one token can be banned", index,
                    bare->size()));
  sampling.logit_bias.emplace_back(bare->front(), -100.0f);
  if (spaced->size() == 1 && spaced->front() != bare->front())
    sampling.logit_bias.emplace_back(spaced->front(), -100.0f);
  return std::nullopt;
}

}  // namespace

std::vector<int32_t> breaker_ids(const std::vector<std::string>& breakers,
                                 const Tokenizer& tokenizer) {
  std::vector<int32_t> ids;
  for (int32_t id = 0; id < tokenizer.vocab().size(); ++id) {
    const std::string_view piece = tokenizer.piece(id);
    if (std::ranges::any_of(breakers, [&](const std::string& breaker) {
          return piece.find(breaker) != piece.npos;
        }))
      ids.push_back(id);
  }
  return ids;
}

openai::ApiResult<ChatText> chat_prompt(const openai::Conversation& conversation,
                                        const jinja::Template* chat_template,
                                        const Tokenizer& tokenizer, int64_t now) {
  if (chat_template == nullptr)
    return openai::api_error(Error{ErrorCode::kUnsupported, "the model has no chat template",
                                   "it only continues text; ask a model that can chat"});
  Json messages = conversation.messages;
  const bool continued = conversation.continue_final_message;
  const std::string last = continued ? messages.back()["content"].get<std::string>() : "";
  const bool reopen = continued && trimmed(last).empty();  // nothing to go on with: a new turn
  if (reopen) messages.erase(messages.size() - 1);

  Json variables = Json::object();
  jinja::RenderOptions options;
  options.now = now;
  if (auto error = add_kwargs(conversation.kwargs, variables, options)) return std::move(*error);
  variables["messages"] = std::move(messages);
  if (!conversation.tools.is_null()) variables["tools"] = conversation.tools;
  variables["add_generation_prompt"] = reopen || conversation.add_generation_prompt;
  variables["bos_token"] = spelling(tokenizer, tokenizer.vocab().bos);
  variables["eos_token"] = spelling(tokenizer, tokenizer.vocab().eos);

  auto rendered = chat_template->render(variables, options);
  if (!rendered) return under_messages(rendered.error());
  if (variables.contains("tools")) {
    // A template that does not read tools would drop them without a word.
    variables.erase("tools");
    const auto without = chat_template->render(variables, options);
    if (without && without->text == rendered->text)
      return openai::unsupported_value("tools", "the model's chat template does not know tools");
  }
  if (continued && !reopen) {
    if (auto error = cut_after(*rendered, last)) return std::move(*error);
  }
  auto tokens = encode_rendered(*rendered, tokenizer);
  if (!tokens) return tokens.error();
  const bool own = !rendered->spans.empty() && rendered->spans.back().trusted;
  const size_t end = own ? rendered->spans.back().begin : rendered->text.size();
  return ChatText{std::move(rendered->text), std::move(*tokens), end};
}

bool opens_thinking(const ChatText& prompt, const ReplyFormat& format) {
  const std::string_view own = std::string_view(prompt.text).substr(prompt.own);
  return format.thinking != nullptr && trimmed(own).ends_with(format.thinking->open);
}

openai::ApiResult<std::vector<int32_t>> text_prompt(const openai::TextOrIds& prompt,
                                                    const Tokenizer& tokenizer, bool add_special,
                                                    std::string_view param) {
  if (const auto* ids = std::get_if<std::vector<int32_t>>(&prompt)) {
    for (const int32_t id : *ids)
      if (!tokenizer.vocab().has(id))
        return openai::invalid_value(param, fmt::format("token {} is not in the vocabulary of {}",
                                                        id, tokenizer.vocab().size()));
    return *ids;
  }
  auto tokens =
      tokenizer.encode(std::get<std::string>(prompt), EncodeOptions{.add_special = add_special});
  if (!tokens) {
    ApiError error = openai::api_error(tokens.error());
    error.param = param;
    return error;
  }
  return std::move(*tokens);
}

std::optional<ApiError> fit_window(std::vector<int32_t>& tokens, std::optional<int> keep,
                                   int window, int answer, std::string_view param) {
  if (keep) {
    const int wanted = *keep < 0 ? std::max(1, window - answer) : *keep;
    if (tokens.size() > static_cast<size_t>(wanted))
      tokens.erase(tokens.begin(), tokens.end() - wanted);
  }
  if (tokens.empty())
    return openai::invalid_value(param, fmt::format("{} is no tokens at all", param));
  const auto size = static_cast<int64_t>(tokens.size());
  if (size + std::min(answer, 1) > window)
    return openai::context_length_exceeded(param, size, window);
  return std::nullopt;
}

openai::ApiResult<GenerateRequest> engine_request(const openai::GenerationFields& fields,
                                                  const ServedModel& model) {
  const int32_t vocab = model.tokenizer->vocab().size();
  GenerateRequest request;
  request.sampling = fields.sampling;
  request.max_tokens = fields.max_tokens.value_or(0);
  request.min_tokens = fields.min_tokens;
  request.ignore_eos = fields.ignore_eos;
  request.cache_salt = fields.cache_salt;
  request.reuse_prefix = fields.cache_prompt;
  request.stop_tokens = fields.stop_token_ids;
  request.n = fields.n;
  request.priority = -fields.priority;  // on the wire the lowest goes first
  if (fields.n > model.engine->max_choices())
    return openai::invalid_value(
        "n", fmt::format("n {} is more than the {} choices that may run and wait here", fields.n,
                         model.engine->max_choices()));
  for (const int32_t id : fields.stop_token_ids)
    if (id >= vocab)
      return openai::invalid_value(
          "stop_token_ids", fmt::format("token {} is not in the vocabulary of {}", id, vocab));
  for (const auto& [id, bias] : fields.sampling.logit_bias)
    if (id >= vocab)
      return openai::invalid_value(
          "logit_bias", fmt::format("token {} is not in the vocabulary of {}", id, vocab));
  for (size_t i = 0; i < fields.bad_words.size(); ++i)
    if (auto error = ban(fields.bad_words[i], i, *model.tokenizer, request.sampling))
      return std::move(*error);
  if (request.sampling.dry_multiplier > 0)
    request.dry_breakers = breaker_ids(request.sampling.dry_sequence_breakers, *model.tokenizer);
  return request;
}

}  // namespace aictl::inference
