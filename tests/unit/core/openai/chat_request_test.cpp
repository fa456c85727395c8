// Chat requests: ranges, messages, tools, and what an error says.
#include "core/openai/request/chat.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace aictl;
using namespace aictl::openai;

namespace {

Json body_with(std::string_view name, Json value) {
  Json body{{"model", "m"}, {"messages", {{{"role", "user"}, {"content", "hi"}}}}};
  body[std::string(name)] = std::move(value);
  return body;
}

ApiError refusal(std::string_view name, Json value) {
  auto parsed = parse_chat(body_with(name, std::move(value)));
  REQUIRE_FALSE(parsed.ok());
  return parsed.error();
}

ChatRequest taken(std::string_view name, Json value) {
  auto parsed = parse_chat(body_with(name, std::move(value)));
  if (!parsed) FAIL(parsed.error().message);
  return *parsed;
}

Json only_message(Json message) {
  return taken("messages", Json::array({std::move(message)})).conversation.messages[0];
}

std::string message_error(Json message) {
  const ApiError error = refusal("messages", Json::array({std::move(message)}));
  CHECK_FALSE(error.message.empty());
  return error.param;
}

}  // namespace

TEST_CASE("chat request: defaults are those of the contract") {
  const auto parsed = parse_chat(body_with("user", "u"));
  REQUIRE(parsed.ok());
  const GenerationFields& g = parsed->generation;
  CHECK(g.model == "m");
  CHECK(g.sampling.temperature == 1);
  CHECK(g.sampling.top_p == 1);
  CHECK(g.n == 1);
  CHECK_FALSE(g.max_tokens.has_value());
  CHECK_FALSE(g.seeded);
  CHECK_FALSE(g.stream);
  CHECK(g.skip_special_tokens);
  CHECK(g.sampling.logprobs == -1);
  CHECK(parsed->conversation.add_generation_prompt);
  CHECK_FALSE(parsed->conversation.continue_final_message);
  CHECK(parsed->conversation.tools.is_null());
}

TEST_CASE("chat request: numbers out of range are refused with their value") {
  struct Case {
    const char* name;
    Json value;
  };
  const Case cases[] = {{"temperature", 2.1},
                        {"temperature", -0.1},
                        {"top_p", 1.5},
                        {"n", 0},
                        {"n", 129},
                        {"max_tokens", 0},
                        {"max_completion_tokens", -1},
                        {"presence_penalty", 2.5},
                        {"frequency_penalty", -2.5},
                        {"top_logprobs", 21},
                        {"top_k", -2},
                        {"min_p", 1.1},
                        {"typical_p", -1},
                        {"repetition_penalty", 0},
                        {"mirostat", 3},
                        {"xtc_probability", 2},
                        {"priority", 11},
                        {"seed", 18446744073709551615u},
                        {"min_tokens", -1},
                        {"truncate_prompt_tokens", 0},
                        {"max_tokens", 1.5},
                        {"repeat_last_n", -2},
                        {"dry_base", 0.5},
                        {"dry_allowed_length", 0},
                        {"repetition_penalty", 1e-60},
                        {"repeat_penalty", 101},
                        {"top_n_sigma", -2},
                        {"mirostat_tau", -1}};
  for (const auto& wrong : cases) {
    const auto& name = wrong.name;
    const Json& value = wrong.value;
    CAPTURE(name);
    const ApiError error = refusal(name, value);
    CHECK(error.param == name);
    CHECK(error.code == "invalid_value");
    CHECK(error.message.find(dump_json(value)) != std::string::npos);
  }
}

TEST_CASE("chat request: numbers at the ends of their range are taken") {
  CHECK(taken("temperature", 0).generation.sampling.temperature == 0);
  CHECK(taken("temperature", 2).generation.sampling.temperature == 2);
  CHECK(taken("top_p", 0).generation.sampling.top_p == 0);
  CHECK(taken("n", 128).generation.n == 128);
  CHECK(taken("top_k", -1).generation.sampling.top_k <= 0);
  CHECK(taken("seed", std::numeric_limits<int64_t>::min()).generation.seeded);
  CHECK(taken("seed", 7).generation.sampling.seed == 7);
  CHECK(taken("max_completion_tokens", 3).generation.max_tokens == 3);
}

TEST_CASE("chat request: what is taken at the ends of a range, the sampler takes too") {
  for (const SamplingRange& range : sampling_ranges())
    for (const double end : {range.least, range.most}) {
      CAPTURE(range.name);
      const bool real = std::holds_alternative<float SamplingParams::*>(range.field);
      const Json value = real ? Json(end) : Json(static_cast<int64_t>(end));
      const SamplingParams params = taken(range.name, value).generation.sampling;
      CHECK(range.value(params) == doctest::Approx(end));
      CHECK_FALSE(out_of_range(params).has_value());
      const Json beyond = real ? Json(end == range.least ? end - 1 : end * 2)
                               : Json(static_cast<int64_t>(end) + (end == range.least ? -1 : 1));
      CHECK(refusal(range.name, beyond).param == range.name);
    }
}

TEST_CASE("chat request: a bias is given to at most 1024 tokens") {
  Json bias = Json::object();
  for (int i = 0; i < 1024; ++i) bias[std::to_string(i)] = 1;
  CHECK(taken("logit_bias", bias).generation.sampling.logit_bias.size() == 1024);
  bias["1024"] = 1;
  const ApiError error = refusal("logit_bias", bias);
  CHECK(error.param == "logit_bias");
  CHECK(error.message.find("1025") != std::string::npos);
  CHECK(error.message.find("1024") != std::string::npos);
}

TEST_CASE("chat request: the new name of max_tokens wins over the old one") {
  Json body = body_with("max_tokens", 10);
  body["max_completion_tokens"] = 20;
  CHECK(parse_chat(body)->generation.max_tokens == 20);
}

TEST_CASE("chat request: model and messages are required") {
  Json body = body_with("n", 1);
  body.erase("model");
  CHECK(parse_chat(body).error().param == "model");
  body = body_with("n", 1);
  body.erase("messages");
  CHECK(parse_chat(body).error().param == "messages");
  CHECK(refusal("messages", Json::array()).param == "messages");
}

TEST_CASE("chat request: stop is a string or up to four, none of them empty") {
  CHECK(taken("stop", "END").generation.stop == std::vector<std::string>{"END"});
  CHECK(taken("stop", {"a", "b", "c", "d"}).generation.stop.size() == 4);
  CHECK(refusal("stop", {"a", "b", "c", "d", "e"}).param == "stop");
  CHECK(refusal("stop", "").param == "stop");
  CHECK(refusal("stop", {"a", 1}).param == "stop[1]");
}

TEST_CASE("chat request: stream_options needs stream") {
  CHECK(refusal("stream_options", {{"include_usage", true}}).param == "stream_options");
  Json body = body_with("stream", true);
  body["stream_options"] = {{"include_usage", true}};
  CHECK(parse_chat(body)->generation.include_usage);
  body["stream_options"] = {{"include_usage", 1}};
  CHECK(parse_chat(body).error().param == "stream_options.include_usage");
}

TEST_CASE("chat request: logprobs and top_logprobs") {
  CHECK(taken("logprobs", true).logprobs == 0);
  CHECK(taken("logprobs", false).logprobs == -1);
  CHECK(refusal("top_logprobs", 2).param == "top_logprobs");
  Json body = body_with("logprobs", true);
  body["top_logprobs"] = 5;
  CHECK(parse_chat(body)->generation.sampling.logprobs == 5);
}

TEST_CASE("chat request: logit_bias maps token ids to -100..100") {
  const auto bias = taken("logit_bias", {{"15", -100}, {"7", 2.5}}).generation.sampling.logit_bias;
  REQUIRE(bias.size() == 2);
  CHECK(bias[0] == std::pair<int32_t, float>(15, -100));
  CHECK(bias[1] == std::pair<int32_t, float>(7, 2.5f));
  for (const Json& bad : {Json{{"x", 1}}, Json{{"-1", 1}}, Json{{"1", 101}}, Json{{"1", "2"}},
                          Json{{"99999999999", 1}}, Json{{"", 1}}})
    CHECK(refusal("logit_bias", bad).param == "logit_bias");
}

TEST_CASE("chat request: samplers sets the order and switches off what it leaves out") {
  Json body = body_with("samplers", {"penalties", "top_k", "typ_p", "temperature"});
  body["repetition_penalty"] = 1.3;
  body["dry_multiplier"] = 0.8;
  const auto parsed = parse_chat(body);
  REQUIRE(parsed.ok());
  const SamplingParams& sampling = parsed->generation.sampling;
  CHECK(sampling.order == std::vector<SamplerKind>{SamplerKind::kTopK, SamplerKind::kTypical,
                                                   SamplerKind::kTemperature});
  CHECK(sampling.repetition_penalty == 1.3f);
  CHECK(sampling.dry_multiplier == 0);
  CHECK(refusal("samplers", {"top_k", "penalties"}).code == "unsupported_value");
  CHECK(refusal("samplers", {"top_k", "top_k"}).param == "samplers");
  CHECK(refusal("samplers", {"lottery"}).param == "samplers");
}

TEST_CASE("chat request: the text parts of a message are joined") {
  const Json parts =
      Json::array({{{"type", "text"}, {"text", "one"}}, {{"type", "text"}, {"text", "two"}}});
  CHECK(only_message({{"role", "user"}, {"content", parts}})["content"] == "one\ntwo");
}

TEST_CASE("chat request: images, audio and files are refused by their place") {
  for (const char* type : {"image_url", "input_audio", "file"}) {
    const Json part{{"type", type}, {type, {{"url", "x"}}}};
    const ApiError error =
        refusal("messages", Json::array({{{"role", "user"}, {"content", Json::array({part})}}}));
    CHECK(error.param == "messages[0].content[0]");
    CHECK(error.code == "unsupported_value");
  }
}

TEST_CASE("chat request: roles are mapped to those templates know") {
  CHECK(only_message({{"role", "developer"}, {"content", "x"}})["role"] == "system");
  CHECK(only_message({{"role", "function"}, {"name", "f"}, {"content", "x"}})["role"] == "tool");
  CHECK(message_error({{"role", "wizard"}, {"content", "x"}}) == "messages[0].role");
  CHECK(message_error({{"content", "x"}}) == "messages[0].role");
  CHECK(message_error({{"role", "user"}}) == "messages[0].content");
  CHECK(message_error({{"role", "user"}, {"content", 5}}) == "messages[0].content");
  CHECK(message_error({{"role", "tool"}, {"content", "x"}}) == "messages[0].tool_call_id");
  CHECK(message_error("text") == "messages[0]");
}

TEST_CASE("chat request: tool call arguments become objects for the template") {
  const Json call{{"id", "call_1"},
                  {"type", "function"},
                  {"function", {{"name", "f"}, {"arguments", "{\"a\":1}"}}}};
  const Json message =
      only_message({{"role", "assistant"}, {"content", nullptr}, {"tool_calls", {call}}});
  CHECK(message["content"] == "");
  CHECK(message["tool_calls"][0]["function"]["arguments"] == Json{{"a", 1}});
  CHECK(message["tool_calls"][0]["id"] == "call_1");

  Json broken = call;
  broken["function"]["arguments"] = "{\"a\":";
  CHECK(message_error({{"role", "assistant"}, {"tool_calls", {broken}}}) ==
        "messages[0].tool_calls[0].function.arguments");
  broken["function"]["arguments"] = "[1]";
  CHECK(message_error({{"role", "assistant"}, {"tool_calls", {broken}}}) ==
        "messages[0].tool_calls[0].function.arguments");
}

TEST_CASE("chat request: the old function_call of a message becomes a tool call") {
  const Json message =
      only_message({{"role", "assistant"}, {"function_call", {{"name", "f"}, {"arguments", ""}}}});
  CHECK(message["tool_calls"][0]["function"]["name"] == "f");
  CHECK(message["tool_calls"][0]["function"]["arguments"] == Json::object());
}

TEST_CASE("chat request: thinking is taken under both names") {
  for (const char* name : {"reasoning", "reasoning_content"})
    CHECK(only_message(
              {{"role", "assistant"}, {"content", "x"}, {name, "hm"}})["reasoning_content"] ==
          "hm");
}

TEST_CASE("chat request: an assistant's message without content is empty text") {
  CHECK(only_message({{"role", "assistant"}, {"content", nullptr}})["content"] == "");
  CHECK(only_message({{"role", "assistant"}, {"refusal", "no"}})["content"] == "no");
}

TEST_CASE("chat request: a last assistant message is continued when no turn is opened") {
  Json body = body_with("messages", Json::array({{{"role", "assistant"}, {"content", "Once"}}}));
  CHECK_FALSE(parse_chat(body)->conversation.continue_final_message);
  body["add_generation_prompt"] = false;
  CHECK(parse_chat(body)->conversation.continue_final_message);
  body.erase("add_generation_prompt");
  body["continue_final_message"] = true;
  CHECK(parse_chat(body)->conversation.continue_final_message);
  CHECK_FALSE(parse_chat(body)->conversation.add_generation_prompt);
  body["add_generation_prompt"] = true;
  CHECK(parse_chat(body).error().param == "continue_final_message");
  CHECK(refusal("continue_final_message", true).param == "continue_final_message");
}

TEST_CASE("chat request: tools go to the template, unless the choice is none") {
  const Json tools = Json::array({{{"type", "function"}, {"function", {{"name", "f"}}}}});
  CHECK(taken("tools", tools).conversation.tools == tools);
  CHECK(taken("tools", Json::array()).conversation.tools.is_null());
  CHECK(taken("tool_choice", "auto").conversation.tools.is_null());
  Json body = body_with("tools", tools);
  body["tool_choice"] = "auto";
  CHECK(parse_chat(body)->conversation.tools == tools);
  body["tool_choice"] = "none";
  CHECK(parse_chat(body)->conversation.tools.is_null());
  body["tool_choice"] = "required";
  CHECK(parse_chat(body).error().param == "tool_choice");
  body["tool_choice"] = {{"type", "function"}, {"function", {{"name", "f"}}}};
  CHECK(parse_chat(body).error().code == "unsupported_value");
  body["tool_choice"] = "auto";
  CHECK_FALSE(parse_chat(body)->one_call);
  body["parallel_tool_calls"] = false;
  CHECK(parse_chat(body)->one_call);
  body["tools"][0]["function"]["strict"] = false;
  CHECK(parse_chat(body).ok());
  body["tools"][0]["function"]["strict"] = true;
  CHECK(parse_chat(body).error().param == "tools[0].function.strict");
  CHECK(refusal("tools", {{{"type", "custom"}}}).param == "tools[0].type");
  CHECK(refusal("tools", {{{"type", "function"}}}).param == "tools[0]");
  CHECK(taken("functions", {{{"name", "g"}}}).conversation.tools[0]["function"]["name"] == "g");
}

TEST_CASE("chat request: reasoning effort is told to the template, explicit words win") {
  const Json kwargs = taken("reasoning_effort", "none").conversation.kwargs;
  CHECK(kwargs["enable_thinking"] == false);
  CHECK(kwargs["reasoning_effort"] == "none");
  Json body = body_with("reasoning_effort", "low");
  body["chat_template_kwargs"] = {{"enable_thinking", false}};
  CHECK(parse_chat(body)->conversation.kwargs["enable_thinking"] == false);
  CHECK(refusal("reasoning_effort", "huge").param == "reasoning_effort");
}

TEST_CASE("chat request: thinking stays in the text only where it is asked to") {
  CHECK(parse_chat(body_with("reasoning_format", nullptr))->split_reasoning);
  CHECK(taken("reasoning_format", "auto").split_reasoning);
  CHECK(taken("reasoning_format", "deepseek").split_reasoning);
  CHECK_FALSE(taken("reasoning_format", "none").split_reasoning);
  CHECK(refusal("reasoning_format", "hidden").param == "reasoning_format");
}

TEST_CASE("chat request: only plain text can be asked for") {
  CHECK(taken("response_format", {{"type", "text"}}).generation.n == 1);
  for (const char* type : {"json_object", "json_schema"}) {
    const ApiError error = refusal("response_format", {{"type", type}});
    CHECK(error.code == "unsupported_value");
    CHECK(error.message.find(type) != std::string::npos);
  }
  CHECK(refusal("modalities", {"text", "audio"}).param == "modalities");
  CHECK(taken("modalities", {"text"}).generation.n == 1);
}

TEST_CASE("chat request: metadata is up to sixteen string pairs") {
  CHECK(taken("metadata", {{"k", "v"}}).metadata == Json{{"k", "v"}});
  CHECK(refusal("metadata", {{"k", 1}}).param == "metadata");
  Json many = Json::object();
  for (int i = 0; i < 17; ++i) many["k" + std::to_string(i)] = "v";
  CHECK(refusal("metadata", many).param == "metadata");
}

TEST_CASE("chat request: a long hostile value is cut short in the message") {
  const ApiError error = refusal("temperature", std::string(1'000'000, 'x'));
  CHECK(error.message.size() < 200);
  const ApiError cut =
      refusal("temperature", std::string(30, 'x') + "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9");
  CHECK(dump_json(error_body(cut)).find("temperature") != std::string::npos);
}
