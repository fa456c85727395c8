// Walks the table of request fields: what is listed is read, refused by name, or stands as
// accepted.
#include "core/openai/request/fields.hpp"

#include "core/openai/request/chat.hpp"
#include "core/openai/request/text.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace aictl;
using namespace aictl::openai;

namespace {

struct EndpointCase {
  Endpoint endpoint;
  std::string name;
  Json minimal;
  std::optional<ApiError> (*parse)(const Json&, const ParseOptions&);
};

template <auto Parse>
std::optional<ApiError> error_of(const Json& body, const ParseOptions& options) {
  auto parsed = Parse(body, options);
  if (parsed) return std::nullopt;
  return parsed.error();
}

const Json kMessages = Json::array({{{"role", "user"}, {"content", "hi"}}});

std::vector<EndpointCase> endpoints() {
  return {
      {kChat, "chat", {{"model", "m"}, {"messages", kMessages}}, error_of<parse_chat>},
      {kCompletions, "completions", {{"model", "m"}, {"prompt", "hi"}}, error_of<parse_completion>},
      {kEmbeddings, "embeddings", {{"model", "m"}, {"input", "hi"}}, error_of<parse_embeddings>},
      {kTokenize, "tokenize", {{"prompt", "hi"}}, error_of<parse_tokenize>},
      {kDetokenize, "detokenize", {{"tokens", {1, 2}}}, error_of<parse_detokenize>},
      {kApplyTemplate, "apply-template", {{"messages", kMessages}}, error_of<parse_apply_template>},
  };
}

// A value of a type that no reader of `name` takes.
Json wrong_value(std::string_view name) {
  const std::set<std::string_view> objects{"chat_template_kwargs", "stream_options", "logit_bias",
                                           "metadata", "response_format"};
  return objects.contains(name) ? Json(5) : Json{{"no", "such"}};
}

// tool_choice takes objects, and refuses them; messages beside a prompt is another error.
Json minimal_for(const EndpointCase& at, std::string_view name) {
  if (at.endpoint != kTokenize) return at.minimal;
  if (name == "prompt" || name == "add_special_tokens" || name == "return_token_strs" ||
      name == "model" || name == "add_special" || name == "parse_special" || name == "with_pieces")
    return at.minimal;
  if (name == "content") return Json::object();
  return {{"messages", kMessages}};
}

}  // namespace

TEST_CASE("fields: the smallest body of each endpoint is taken, also in strict mode") {
  for (const EndpointCase& at : endpoints()) {
    CAPTURE(at.name);
    CHECK_FALSE(at.parse(at.minimal, {}).has_value());
    CHECK_FALSE(at.parse(at.minimal, {.strict = true}).has_value());
  }
}

TEST_CASE("fields: a handled field with a wrong type is refused by its name") {
  for (const EndpointCase& at : endpoints())
    for (const FieldRow& row : field_rows()) {
      if (!(row.endpoints & at.endpoint) || row.treatment != Treatment::kHandled) continue;
      CAPTURE(at.name);
      CAPTURE(row.name);
      Json body = minimal_for(at, row.name);
      body[std::string(row.name)] = wrong_value(row.name);
      const auto error = at.parse(body, {});
      REQUIRE(error.has_value());
      CHECK(error->status == 400);
      CHECK(error->type == "invalid_request_error");
      CHECK(error->param.starts_with(row.name));
      CHECK(error->message.find(row.name) != std::string::npos);
    }
}

TEST_CASE("fields: a refused field is refused by name, unless null or at its neutral value") {
  for (const EndpointCase& at : endpoints())
    for (const FieldRow& row : field_rows()) {
      if (!(row.endpoints & at.endpoint) || row.treatment != Treatment::kRefused) continue;
      CAPTURE(at.name);
      CAPTURE(row.name);
      CHECK_FALSE(row.why.empty());
      Json body = minimal_for(at, row.name);
      body[std::string(row.name)] = Json{{"some", "thing"}};
      const auto error = at.parse(body, {});
      REQUIRE(error.has_value());
      CHECK(error->status == 400);
      CHECK(error->code == "unsupported_value");
      CHECK(error->param == row.name);
      body[std::string(row.name)] = nullptr;
      CHECK_FALSE(at.parse(body, {.strict = true}).has_value());
      if (row.neutral.empty()) continue;
      body[std::string(row.name)] = parse_json(row.neutral).value();
      CHECK_FALSE(at.parse(body, {.strict = true}).has_value());
    }
}

TEST_CASE("fields: an accepted field changes nothing, whatever it holds") {
  for (const EndpointCase& at : endpoints())
    for (const FieldRow& row : field_rows()) {
      if (!(row.endpoints & at.endpoint) || row.treatment != Treatment::kAccepted) continue;
      CAPTURE(row.name);
      for (const Json& value : {Json(1), Json("x"), Json{{"a", 1}}, Json(nullptr)}) {
        Json body = minimal_for(at, row.name);
        body[std::string(row.name)] = value;
        CHECK_FALSE(at.parse(body, {.strict = true}).has_value());
      }
    }
}

TEST_CASE("fields: a null counts as absent for every field that is not required") {
  const std::set<std::string_view> required{"model", "messages", "prompt", "input", "tokens"};
  for (const EndpointCase& at : endpoints())
    for (const FieldRow& row : field_rows()) {
      if (!(row.endpoints & at.endpoint) || required.contains(row.name)) continue;
      CAPTURE(row.name);
      Json body = at.minimal;
      body[std::string(row.name)] = nullptr;
      CHECK_FALSE(at.parse(body, {.strict = true}).has_value());
    }
}

TEST_CASE("fields: every field of the chat contract has a row") {
  // The contract's words, written out a second time on purpose.
  const std::string_view listed[] = {"model",
                                     "messages",
                                     "stream",
                                     "stream_options",
                                     "max_completion_tokens",
                                     "max_tokens",
                                     "temperature",
                                     "top_p",
                                     "n",
                                     "stop",
                                     "presence_penalty",
                                     "frequency_penalty",
                                     "logit_bias",
                                     "logprobs",
                                     "top_logprobs",
                                     "seed",
                                     "response_format",
                                     "tools",
                                     "tool_choice",
                                     "parallel_tool_calls",
                                     "reasoning_effort",
                                     "store",
                                     "metadata",
                                     "user",
                                     "safety_identifier",
                                     "prompt_cache_key",
                                     "service_tier",
                                     "verbosity",
                                     "prediction",
                                     "modalities",
                                     "audio",
                                     "web_search_options",
                                     "functions",
                                     "function_call",
                                     "top_k",
                                     "min_p",
                                     "typical_p",
                                     "top_n_sigma",
                                     "repetition_penalty",
                                     "repeat_penalty",
                                     "repeat_last_n",
                                     "dry_multiplier",
                                     "dry_base",
                                     "dry_allowed_length",
                                     "dry_penalty_last_n",
                                     "dry_sequence_breakers",
                                     "xtc_probability",
                                     "xtc_threshold",
                                     "mirostat",
                                     "mirostat_tau",
                                     "mirostat_eta",
                                     "dynatemp_range",
                                     "dynatemp_exponent",
                                     "samplers",
                                     "min_tokens",
                                     "ignore_eos",
                                     "stop_token_ids",
                                     "include_stop_str_in_output",
                                     "skip_special_tokens",
                                     "add_generation_prompt",
                                     "continue_final_message",
                                     "echo",
                                     "priority",
                                     "cache_salt",
                                     "truncate_prompt_tokens",
                                     "bad_words",
                                     "return_token_ids",
                                     "prompt_logprobs",
                                     "grammar",
                                     "json_schema",
                                     "structured_outputs",
                                     "guided_json",
                                     "guided_regex",
                                     "guided_choice",
                                     "guided_grammar",
                                     "chat_template",
                                     "chat_template_kwargs",
                                     "cache_prompt",
                                     "id_slot",
                                     "n_keep",
                                     "return_progress",
                                     "timings_per_token",
                                     "n_probs",
                                     "post_sampling_probs",
                                     "lora",
                                     "reasoning_format",
                                     "thinking_budget_tokens",
                                     "keep_alive",
                                     "ttl"};
  for (const std::string_view name : listed) {
    unsigned found = 0;
    for (const FieldRow& row : field_rows())
      if (row.name == name) found |= row.endpoints;
    CAPTURE(name);
    CHECK((found & kChat) != 0);
    // Completions have all of these but what messages and tools are made of.
    const std::set<std::string_view> chat_only{
        "messages", "tools", "tool_choice", "parallel_tool_calls", "functions", "function_call"};
    if (!chat_only.contains(name)) CHECK((found & kCompletions) != 0);
  }
}

TEST_CASE("fields: no endpoint has two rows for one name") {
  for (const EndpointCase& at : endpoints()) {
    std::set<std::string_view> seen;
    for (const FieldRow& row : field_rows())
      if (row.endpoints & at.endpoint) CHECK(seen.insert(row.name).second);
  }
}

TEST_CASE("fields: unknown fields are ignored, and refused with the nearest name in strict mode") {
  const Json body{{"model", "m"}, {"messages", kMessages}, {"temprature", 0.5}};
  CHECK(parse_chat(body).ok());
  const auto strict = parse_chat(body, {.strict = true});
  REQUIRE_FALSE(strict.ok());
  CHECK(strict.error().param == "temprature");
  CHECK(strict.error().message.find("temperature") != std::string::npos);
}

TEST_CASE("fields: a body that is no object is refused") {
  for (const Json& body : {Json::array(), Json("x"), Json(1), Json(nullptr)}) {
    CHECK_FALSE(parse_chat(body).ok());
    CHECK_FALSE(parse_tokenize(body).ok());
  }
}
