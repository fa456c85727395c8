// Every field that chat/completions lists, against the live server: honoured, taken without effect
// as the contract allows, or refused by its name. Nothing else happens to a field.
#include "tests/unit/plugins/inference/api/test_server.hpp"

using namespace aictl;
using namespace aictl::inference;

namespace {

enum class Fate {
  kHonoured,  // 200; what it does is tested where it is done
  kAccepted,  // 200, and the same answer as without it
  kRefused,   // 400 that names it
};

struct FieldCase {
  const char* field;
  const char* value;  // JSON
  Fate fate;
  const char* also = "{}";      // members it needs beside it
  const char* param = nullptr;  // what is named, when it is not the field itself
  const char* hint = "";        // must be in the message
};

constexpr Fate kHonoured = Fate::kHonoured, kAccepted = Fate::kAccepted, kRefused = Fate::kRefused;
constexpr const char* kTool =
    R"({"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object",)"
    R"("$schema":"http://json-schema.org/draft-07/schema#","additionalProperties":false}}}]})";

const FieldCase kRows[] = {
    {"messages", R"([{"role":"user","content":[{"type":"text","text":"x"}]}])", kHonoured},
    {"stream", "false", kHonoured},
    {"stream_options", R"({"include_usage":true})", kHonoured, R"({"stream":true})"},
    {"stream_options", R"({"include_usage":true})", kRefused, "{}", nullptr, "stream"},
    {"stream_options", R"({"include_obfuscation":true})", kRefused, R"({"stream":true})",
     "stream_options.include_obfuscation"},
    {"stream_options", R"({"include_obfuscation":false})", kHonoured, R"({"stream":true})"},
    {"max_completion_tokens", "3", kHonoured},
    {"max_tokens", "3", kHonoured},
    {"temperature", "0.5", kHonoured},
    {"top_p", "0.5", kHonoured},
    {"n", "2", kHonoured},
    {"stop", R"(["a","b"])", kHonoured},
    {"presence_penalty", "1", kHonoured},
    {"frequency_penalty", "1", kHonoured},
    {"logit_bias", R"({"7":-100})", kHonoured},
    {"logprobs", "true", kHonoured},
    {"top_logprobs", "2", kHonoured, R"({"logprobs":true})"},
    {"top_logprobs", "2", kRefused, "{}", nullptr, "logprobs"},
    {"seed", "-5", kHonoured},
    {"response_format", R"({"type":"text"})", kHonoured},
    {"response_format", R"({"type":"json_object"})", kRefused, "{}", nullptr, "prompt"},
    {"response_format", R"({"type":"json_schema","json_schema":{"name":"n","schema":{}}})",
     kRefused, "{}", nullptr, "prompt"},
    {"tools", "[]", kHonoured},
    {"tool_choice", R"("auto")", kHonoured, kTool},
    {"tool_choice", R"("none")", kHonoured, kTool},
    {"tool_choice", R"("required")", kRefused, kTool, nullptr, "auto"},
    {"tool_choice", R"({"type":"function","function":{"name":"f"}})", kRefused, kTool, nullptr,
     "auto"},
    {"tool_choice", R"({"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[]}})",
     kRefused, kTool, nullptr, "auto"},
    {"tools", R"([{"type":"custom","custom":{"name":"c"}}])", kRefused, "{}", "tools[0].type",
     "function"},
    {"tools", R"([{"type":"function","function":{"name":"f","strict":true}}])", kRefused, "{}",
     "tools[0].function.strict", "leave it out"},
    {"parallel_tool_calls", "false", kHonoured, kTool},
    {"reasoning_effort", R"("low")", kHonoured},
    {"store", "true", kRefused},
    {"store", "false", kAccepted},
    {"metadata", R"({"a":"b"})", kHonoured},
    {"user", R"("u")", kAccepted},
    {"safety_identifier", R"("s")", kAccepted},
    {"prompt_cache_key", R"("k")", kAccepted},
    {"service_tier", R"("auto")", kAccepted},
    {"verbosity", R"("low")", kAccepted},
    {"prediction", R"({"type":"content","content":"x"})", kAccepted},
    {"modalities", R"(["text"])", kAccepted},
    {"modalities", R"(["text","audio"])", kRefused},
    {"audio", R"({"voice":"a","format":"wav"})", kAccepted},
    {"web_search_options", "{}", kAccepted},
    {"functions", R"([{"name":"f"}])", kHonoured},
    {"function_call", R"("auto")", kHonoured, R"({"functions":[{"name":"f"}]})"},
    {"function_call", R"({"name":"f"})", kRefused, R"({"functions":[{"name":"f"}]})"},
    // The extensions of local servers.
    {"top_k", "5", kHonoured},
    {"min_p", "0.1", kHonoured},
    {"typical_p", "0.9", kHonoured},
    {"top_n_sigma", "1", kHonoured},
    {"repetition_penalty", "1.1", kHonoured},
    {"repeat_penalty", "1.1", kHonoured},
    {"repeat_last_n", "8", kHonoured},
    {"dry_multiplier", "0.8", kHonoured},
    {"dry_base", "1.5", kHonoured},
    {"dry_allowed_length", "2", kHonoured},
    {"dry_penalty_last_n", "64", kHonoured},
    {"dry_sequence_breakers", R"(["a"])", kHonoured},
    {"xtc_probability", "0.5", kHonoured},
    {"xtc_threshold", "0.1", kHonoured},
    {"mirostat", "2", kHonoured},
    {"mirostat_tau", "5", kHonoured},
    {"mirostat_eta", "0.1", kHonoured},
    {"dynatemp_range", "0.2", kHonoured},
    {"dynatemp_exponent", "1", kHonoured},
    {"samplers", R"(["top_k","temperature"])", kHonoured},
    {"min_tokens", "2", kHonoured},
    {"ignore_eos", "true", kHonoured},
    {"stop_token_ids", "[5]", kHonoured},
    {"include_stop_str_in_output", "true", kHonoured},
    {"skip_special_tokens", "false", kHonoured},
    {"add_generation_prompt", "true", kHonoured},
    {"continue_final_message", "true", kHonoured,
     R"({"messages":[{"role":"assistant","content":"so"}]})"},
    {"echo", "true", kRefused},
    {"priority", "-2", kHonoured},
    {"cache_salt", R"("s")", kHonoured},
    {"truncate_prompt_tokens", "4", kHonoured},
    {"bad_words", R"(["a"])", kHonoured},
    {"return_token_ids", "true", kHonoured},
    {"prompt_logprobs", "1", kRefused},
    {"grammar", R"("root ::= \"a\"")", kRefused, "{}", nullptr, "prompt"},
    {"json_schema", "{}", kRefused, "{}", nullptr, "prompt"},
    {"structured_outputs", R"({"choice":["a"]})", kRefused, "{}", nullptr, "prompt"},
    {"guided_json", "{}", kRefused, "{}", nullptr, "prompt"},
    {"guided_regex", R"("a")", kRefused, "{}", nullptr, "prompt"},
    {"guided_choice", R"(["a"])", kRefused, "{}", nullptr, "prompt"},
    {"guided_grammar", R"("a")", kRefused, "{}", nullptr, "prompt"},
    {"chat_template", R"("{{ 1 }}")", kRefused, "{}", nullptr, "chat_template_kwargs"},
    {"chat_template_kwargs", R"({"enable_thinking":false})", kHonoured},
    {"cache_prompt", "false", kHonoured},
    {"id_slot", "2", kRefused},
    {"n_keep", "5", kRefused, "{}", nullptr, "truncate_prompt_tokens"},
    {"return_progress", "true", kRefused},
    {"timings_per_token", "true", kRefused, "{}", nullptr, "last chunk"},
    {"n_probs", "3", kRefused, "{}", nullptr, "logprobs"},
    {"post_sampling_probs", "true", kRefused},
    {"lora", R"([{"id":0,"scale":1}])", kRefused},
    {"reasoning_format", R"("none")", kHonoured},
    {"reasoning_format", R"("deepseek")", kHonoured},
    {"thinking_budget_tokens", "100", kRefused, "{}", nullptr, "reasoning_effort"},
    {"keep_alive", R"("5m")", kRefused},
    {"ttl", "300", kRefused},
};

Json body_of(const FieldCase& row) {
  Json body{{"model", "tiny"},
            {"messages", {{{"role", "user"}, {"content", "x"}}}},
            {"max_tokens", 4},
            {"seed", 1}};
  const Json also = tree(row.also);
  for (const auto& [name, value] : also.items()) body[name] = value;
  body[row.field] = tree(row.value);
  return body;
}

}  // namespace

TEST_CASE("requests: every field of the contract is honoured, accepted or refused by name") {
  TestSetup setup;
  setup.api.strict = true;  // so that nothing passes for being unknown
  setup.chat_template = "{{ tools | default('') }}" + setup.chat_template;
  TestServer server(std::move(setup));
  Json plain{{"model", "tiny"},
             {"messages", {{{"role", "user"}, {"content", "x"}}}},
             {"max_tokens", 4},
             {"seed", 1}};
  const Json text = tree(server.post("/v1/chat/completions", plain).body)["choices"];
  for (const FieldCase& row : kRows) {
    CAPTURE(row.field);
    CAPTURE(row.value);
    const http::Response response = server.post("/v1/chat/completions", body_of(row));
    CAPTURE(response.body);
    if (row.fate == Fate::kRefused) {
      CHECK(response.status == 400);
      const Json error = tree(response.body)["error"];
      CHECK(error["type"] == "invalid_request_error");
      CHECK(error["param"] == (row.param ? row.param : row.field));
      CHECK(error["message"].get<std::string>().find(row.hint) != std::string::npos);
      continue;
    }
    CHECK(response.status == 200);
    if (row.fate == Fate::kAccepted) CHECK(tree(response.body)["choices"] == text);
    // null is the same as absent.
    Json absent = body_of(row);
    absent[row.field] = nullptr;
    const bool needed = std::string_view(row.field) == "messages";
    const bool alone = std::string_view(row.field) == "stream_options";
    if (!needed && !alone) CHECK(server.post("/v1/chat/completions", absent).status == 200);
  }
}

TEST_CASE("requests: tools that the template would drop are refused") {
  TestServer server;
  Json body{{"model", "tiny"}, {"messages", {{{"role", "user"}, {"content", "x"}}}}};
  const Json tool = tree(kTool);
  body["tools"] = tool["tools"];
  const http::Response response = server.post("/v1/chat/completions", body);
  CHECK(response.status == 400);
  CHECK(tree(response.body)["error"]["param"] == "tools");
}
