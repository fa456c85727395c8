// Chat, completions and embeddings: a request becomes a run.
#include "plugins/services/inference/api/api.hpp"

#include <charconv>

#include <fmt/format.h>

#include "plugins/services/inference/api/answer/embedding_run.hpp"
#include "plugins/services/inference/api/answer/text_run.hpp"
#include "plugins/services/inference/text/detokenizer.hpp"

namespace aictl::inference {
namespace {

using openai::ApiError;

constexpr int64_t kLongestDeadlineMs = 24LL * 3600 * 1000;

std::optional<ApiError> read_number(const http::Request& request, std::string_view header,
                                    int64_t min, int64_t max, std::optional<int64_t>& out) {
  const auto text = request.headers.get(header);
  if (!text) return std::nullopt;
  int64_t number = 0;
  const auto parsed = std::from_chars(text->data(), text->data() + text->size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text->data() + text->size() || number < min ||
      number > max)
    return openai::invalid_value(header, fmt::format("header {} '{}' is not a number in {}..{}",
                                                     header, text->substr(0, 32), min, max));
  out = number;
  return std::nullopt;
}

// Priority and deadline, from headers of ours. `Request` is the engine's, of either kind.
template <typename Request>
std::optional<ApiError> read_headers(const http::Request& http, Request& request) {
  std::optional<int64_t> priority, deadline;
  if (auto error = read_number(http, "x-aictl-priority", -kMaxPriority, kMaxPriority, priority))
    return error;
  if (auto error = read_number(http, "x-aictl-deadline-ms", 1, kLongestDeadlineMs, deadline))
    return error;
  if (priority) request.priority = static_cast<int>(*priority);
  if (deadline)
    request.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(*deadline);
  return std::nullopt;
}

std::vector<std::string> echoes_of(const openai::CompletionRequest& request,
                                   const std::vector<std::vector<int32_t>>& prompts,
                                   const Tokenizer& tokenizer) {
  std::vector<std::string> echoes;
  if (!request.echo) return echoes;
  for (size_t i = 0; i < prompts.size(); ++i) {
    const auto* text = std::get_if<std::string>(&request.prompts[i]);
    echoes.push_back(text && !request.generation.keep_prompt_tokens
                         ? *text
                         : aictl::detokenize(tokenizer, prompts[i], {.at_text_start = true}));
  }
  return echoes;
}

// How the model's text is to be split, by what it knows and what was asked for.
ReplyOptions reply_options(const openai::ChatRequest& request, const ServedModel& model,
                           const ChatText& prompt) {
  ReplyOptions reply;
  reply.one_call = request.one_call;
  if (request.split_reasoning) reply.format.thinking = model.reply.thinking;
  if (!request.conversation.tools.is_null()) {
    reply.format.calls = model.reply.calls;
    for (const Json& tool : request.conversation.tools)
      reply.tools.push_back(tool["function"]["name"].get<std::string>());
  }
  if (request.conversation.continue_final_message)
    reply.start = ReplyStart::kContinued;
  else if (opens_thinking(prompt, reply.format))
    reply.start = ReplyStart::kThinking;
  return reply;
}

}  // namespace

/// What differs between those who want text.
struct InferenceApi::TextAsk {
  std::string_view id_prefix;     // of the answer
  std::string_view prompt_field;  // where the prompt stood
  TextRunPlan plan;               // its prompts and fields; the rest is filled in
  std::function<std::unique_ptr<AnswerFormat>(const openai::AnswerHead&, const TextRunPlan&)>
      format;
};

// The answer's id; sets the headers that say who answers.
std::string InferenceApi::announce(Asked& asked, const ServedModel& model,
                                   std::string_view prefix) {
  std::string id = openai::make_id(prefix, random(), random());
  asked.exchange.set_response_header("x-aictl-response-id", id);
  asked.exchange.set_response_header("x-aictl-model", model.digest);
  return id;
}

// A request without a seed gets one, and is told: sent again with it, it gives the same answer.
void InferenceApi::choose_seed(Asked& asked, GenerateRequest& request, bool seeded) {
  if (!seeded) request.sampling.seed = random() >> 11;  // exact in a JSON number
  asked.exchange.set_response_header("x-aictl-seed",
                                     std::to_string(static_cast<int64_t>(request.sampling.seed)));
}

// Chat and completions from where their prompts are tokens: checked, and on their way.
void InferenceApi::generate(Asked& asked, const ServedModel& model, TextAsk ask) {
  openai::GenerationFields& fields = ask.plan.fields;
  for (std::vector<int32_t>& prompt : ask.plan.prompts)
    if (auto error = fit_window(prompt, fields.keep_prompt_tokens, model.engine->max_context(),
                                fields.max_tokens.value_or(1), ask.prompt_field))
      return respond_error(asked.exchange, *error);
  auto request = engine_request(fields, model);
  if (!request) return respond_error(asked.exchange, request.error());
  if (auto error = read_headers(asked.exchange.request(), *request))
    return respond_error(asked.exchange, *error);
  request->tenant = asked.tenant;
  choose_seed(asked, *request, fields.seeded);

  const openai::AnswerHead head{announce(asked, model, ask.id_prefix), now(), fields.model,
                                openai::system_fingerprint({options_.version, model.digest})};
  ask.plan.format = ask.format(head, ask.plan);
  ask.plan.request = std::move(*request);
  ask.plan.keep_alive = options_.keep_alive;
  auto run = TextRun::make(asked.exchange, model, *metrics_, std::move(ask.plan));
  if (!run) {
    ApiError error = openai::api_error(run.error());
    error.param = "stop";
    return respond_error(asked.exchange, error);
  }
  EngineRun::launch(std::move(*run));
}

void InferenceApi::chat(Asked asked, const Json& body) {
  auto parsed = openai::parse_chat(body, {options_.strict});
  if (!parsed) return respond_error(asked.exchange, parsed.error());
  auto model = served_.find(parsed->generation.model);
  if (!model) return respond_error(asked.exchange, model.error());
  const ServedModel& served = **model;
  auto prompt = chat_prompt(parsed->conversation, served.chat_template, *served.tokenizer, now());
  if (!prompt) return respond_error(asked.exchange, prompt.error());

  TextAsk ask{"chatcmpl-", "messages", {}, {}};
  ask.plan.reply = reply_options(*parsed, served, *prompt);
  ask.plan.prompts.push_back(std::move(prompt->tokens));
  ask.plan.at_text_start = !parsed->conversation.continue_final_message;
  ask.plan.fields = std::move(parsed->generation);
  ask.format = [&](const openai::AnswerHead& head, const TextRunPlan& plan) {
    const bool short_ids = plan.reply.format.calls && plan.reply.format.calls->short_ids;
    return chat_format(head, plan.fields.include_usage,
                       {parsed->logprobs >= 0, std::move(parsed->metadata), random(), short_ids});
  };
  generate(asked, served, std::move(ask));
}

void InferenceApi::completions(Asked asked, const Json& body) {
  auto parsed = openai::parse_completion(body, {options_.strict});
  if (!parsed) return respond_error(asked.exchange, parsed.error());
  auto model = served_.find(parsed->generation.model);
  if (!model) return respond_error(asked.exchange, model.error());
  const ServedModel& served = **model;

  TextAsk ask{"cmpl-", "prompt", {}, {}};
  for (const openai::TextOrIds& sent : parsed->prompts) {
    auto tokens = text_prompt(sent, *served.tokenizer, parsed->add_special_tokens, "prompt");
    if (!tokens) return respond_error(asked.exchange, tokens.error());
    ask.plan.prompts.push_back(std::move(*tokens));
  }
  ask.plan.fields = parsed->generation;
  ask.format = [&](const openai::AnswerHead& head, const TextRunPlan& plan) {
    return completion_format(head, plan.fields.include_usage, parsed->logprobs, plan.fields.n,
                             echoes_of(*parsed, plan.prompts, *served.tokenizer));
  };
  generate(asked, served, std::move(ask));
}

void InferenceApi::embeddings(Asked asked, const Json& body) {
  auto parsed = openai::parse_embeddings(body, {options_.strict});
  if (!parsed) return respond_error(asked.exchange, parsed.error());
  auto model = served_.find(parsed->model);
  if (!model) return respond_error(asked.exchange, model.error());
  const ServedModel& served = **model;
  const int hidden = served.engine->spec().hidden;
  if (parsed->dimensions && *parsed->dimensions > hidden)
    return respond_error(
        asked.exchange,
        openai::invalid_value("dimensions", fmt::format("dimensions {} is above the model's {}",
                                                        *parsed->dimensions, hidden)));
  EmbeddingPlan plan;
  for (const openai::TextOrIds& sent : parsed->inputs) {
    auto tokens = text_prompt(sent, *served.tokenizer, true, "input");
    if (!tokens) return respond_error(asked.exchange, tokens.error());
    if (auto error = fit_window(*tokens, parsed->keep_prompt_tokens, served.engine->max_context(),
                                0, "input"))
      return respond_error(asked.exchange, *error);
    plan.inputs.push_back(std::move(*tokens));
  }
  plan.engine_request.pooling = served.engine->spec().pooling;
  plan.engine_request.tenant = asked.tenant;
  if (auto error = read_headers(asked.exchange.request(), plan.engine_request))
    return respond_error(asked.exchange, *error);
  announce(asked, served, "embd-");
  plan.request = std::move(*parsed);
  EngineRun::launch(
      std::make_shared<EmbeddingRun>(asked.exchange, served, *metrics_, std::move(plan)));
}

}  // namespace aictl::inference
