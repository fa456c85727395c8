// Thinking and tool calls through the whole server: the model's logits are replaced, so that it
// writes what a trained one would.
#include "plugins/services/inference/api/answer/choice_text.hpp"
#include "tests/unit/plugins/inference/api/test_server.hpp"

using namespace aictl;
using namespace aictl::inference;

namespace {

// Qwen's way, and a switch for thinking.
constexpr std::string_view kHermes =
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content }}"
    "{% for c in m.tool_calls | default([]) %}{{ '<tool_call>' + c.function.name + ' ' + "
    "(c.function.arguments | tojson) + '</tool_call>' }}{% endfor %}{{ '<|im_end|>\\n' }}{% endfor "
    "%}"
    "{{ tools | default('') }}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}"
    "{% if enable_thinking is defined %}{{ '<think>\\n' if enable_thinking else "
    "'<think>\\n\\n</think>\\n\\n' }}{% endif %}{% endif %}";
constexpr std::string_view kMistral =
    "{% for m in messages %}{{ m.content }}{% endfor %}{{ tools | default('') }}{{ "
    "'[TOOL_CALLS]'[:0] "
    "}}";

constexpr int32_t kEnd = 258;  // <|im_end|>; ids below 256 are bytes

// The logits of a model that knows one text by heart.
class Script {
 public:
  explicit Script(std::string_view text) {
    for (const char c : text) ids_.push_back(static_cast<unsigned char>(c));
    ids_.push_back(kEnd);
  }
  Hooks hooks() {
    return {.begin = {}, .logits = [this](Act logits) {
              if (logits.rows == 0) return;  // a part of the prompt
              const int32_t id = ids_.at(std::min(next_++, ids_.size() - 1));
              for (int i = 0; i < logits.cols; ++i) logits.row(0)[i] = i == id ? 50.0f : 0.0f;
            }};
  }

 private:
  std::vector<int32_t> ids_;
  size_t next_ = 0;  // on the engine's thread alone
};

Json tools() {
  const auto tool = [](const char* name) {
    return Json{{"type", "function"},
                {"function", {{"name", name}, {"parameters", {{"type", "object"}}}}}};
  };
  return Json::array({tool("f"), tool("g")});
}

Json asking(bool with_tools = true) {
  Json body{{"model", "tiny"},
            {"messages", {{{"role", "user"}, {"content", "x"}}}},
            {"max_tokens", 300},
            {"temperature", 0}};
  if (with_tools) body["tools"] = tools();
  return body;
}

Json answer(std::string_view text, const Json& body, std::string_view source = kHermes) {
  Script script(text);
  TestSetup setup;
  setup.hooks = script.hooks();
  setup.chat_template = source;
  TestServer server(std::move(setup));
  const http::Response response = server.post("/v1/chat/completions", body);
  REQUIRE_MESSAGE(response.status == 200, response.body);
  return tree(response.body);
}

// The deltas of a stream's only choice, and how it finished.
struct Streamed {
  std::vector<Json> deltas;
  std::string finish;
  Json usage;
};

Streamed stream(std::string_view text, Json body, std::string_view source = kHermes) {
  Script script(text);
  TestSetup setup;
  setup.hooks = script.hooks();
  setup.chat_template = source;
  TestServer server(std::move(setup));
  body["stream"] = true;
  body["stream_options"] = {{"include_usage", true}};
  Streamed out;
  const std::vector<std::string> events = server.events("/v1/chat/completions", body);
  REQUIRE(events.size() > 2);
  CHECK(events.back() == "[DONE]");
  for (size_t i = 0; i + 1 < events.size(); ++i) {
    const Json chunk = tree(events[i]);
    if (chunk["choices"].empty()) {
      out.usage = chunk["usage"];
      continue;
    }
    const Json& choice = chunk["choices"][0];
    out.deltas.push_back(choice["delta"]);
    if (choice["finish_reason"].is_string()) out.finish = choice["finish_reason"];
  }
  return out;
}

// What a client that adds deltas up has in the end.
Json collected(const Streamed& streamed) {
  Json message{{"content", ""}, {"reasoning_content", ""}, {"tool_calls", Json::array()}};
  for (const Json& delta : streamed.deltas) {
    for (const char* field : {"content", "reasoning_content"})
      if (delta.contains(field))
        message[field] = message[field].get<std::string>() + delta[field].get<std::string>();
    if (!delta.contains("tool_calls")) continue;
    for (const Json& part : delta["tool_calls"]) {
      const auto index = part["index"].get<size_t>();
      Json& calls = message["tool_calls"];
      if (index == calls.size()) {  // the first piece has all but the arguments
        calls.push_back(
            {{"id", part["id"]}, {"type", part["type"]}, {"function", part["function"]}});
        continue;
      }
      REQUIRE(index + 1 == calls.size());
      CHECK_FALSE(part.contains("id"));
      Json& arguments = calls[index]["function"]["arguments"];
      arguments = arguments.get<std::string>() + part["function"]["arguments"].get<std::string>();
    }
  }
  return message;
}

constexpr std::string_view kTwoCalls =
    "Both.\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>\n"
    "<tool_call>\n{\"name\": \"g\", \"arguments\": {}}\n</tool_call>";

}  // namespace

TEST_CASE("replies: tool calls are parsed out of the text") {
  const Json choice = answer(kTwoCalls, asking())["choices"][0];
  CHECK(choice["finish_reason"] == "tool_calls");
  CHECK(choice["message"]["content"] == "Both.");
  const Json& calls = choice["message"]["tool_calls"];
  REQUIRE(calls.size() == 2);
  CHECK(calls[0]["function"]["name"] == "f");
  CHECK(calls[0]["function"]["arguments"] == "{\"city\": \"Paris\"}");
  CHECK(calls[1]["function"]["arguments"] == "{}");
  CHECK(calls[0]["id"].get<std::string>().starts_with("call_"));
  CHECK(calls[0]["id"] != calls[1]["id"]);
}

TEST_CASE("replies: only tool calls leave the content null") {
  const std::string_view text = "<tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call>";
  const Json message = answer(text, asking())["choices"][0]["message"];
  CHECK(message["content"].is_null());
  CHECK(message["tool_calls"].size() == 1);
}

TEST_CASE("replies: a stream of tool calls begins each with id and name, then its arguments") {
  const Streamed streamed = stream(kTwoCalls, asking());
  CHECK(streamed.finish == "tool_calls");
  CHECK(streamed.deltas.front() == Json{{"role", "assistant"}, {"content", ""}});
  CHECK(streamed.deltas.back() == Json::object());
  const Json message = collected(streamed);
  CHECK(message["content"] == "Both.");
  REQUIRE(message["tool_calls"].size() == 2);
  CHECK(message["tool_calls"][0]["function"] ==
        Json{{"name", "f"}, {"arguments", "{\"city\": \"Paris\"}"}});
  CHECK(message["tool_calls"][1]["function"]["name"] == "g");
  int pieces = 0;  // the arguments come as they are made
  for (const Json& delta : streamed.deltas)
    pieces += delta.contains("tool_calls") && !delta["tool_calls"][0].contains("id");
  CHECK(pieces > 2);
}

TEST_CASE("replies: without tools, or with none to choose, calls are text") {
  for (Json body : {asking(false), asking()}) {
    body["tool_choice"] = "none";
    const Json choice = answer(kTwoCalls, body)["choices"][0];
    CHECK(choice["message"]["content"] == kTwoCalls);
    CHECK(choice["finish_reason"] == "stop");
  }
}

TEST_CASE("replies: parallel_tool_calls false ends the answer with its first call") {
  Json body = asking();
  body["parallel_tool_calls"] = false;
  const Json choice = answer(kTwoCalls, body)["choices"][0];
  CHECK(choice["message"]["tool_calls"].size() == 1);
  CHECK(choice["finish_reason"] == "tool_calls");
  const Streamed streamed = stream(kTwoCalls, body);
  CHECK(collected(streamed)["tool_calls"].size() == 1);
  CHECK(streamed.finish == "tool_calls");
}

TEST_CASE("replies: a call that is cut off is what there is of it, and says length") {
  Json body = asking();
  body["max_tokens"] = 48;
  const Json choice = answer(kTwoCalls, body)["choices"][0];
  CHECK(choice["finish_reason"] == "length");
  CHECK(choice["message"]["tool_calls"][0]["function"]["name"] == "f");
  body["max_tokens"] = 20;  // its name has not come: so far it is no call
  const Json early = answer(kTwoCalls, body)["choices"][0];
  CHECK(early["message"]["content"] == kTwoCalls.substr(0, 20));
}

TEST_CASE("replies: ids are nine letters where the model's template insists on it") {
  const Json choice = answer("[TOOL_CALLS][{\"name\": \"f\", \"arguments\": {\"a\": 1}}]", asking(),
                             kMistral)["choices"][0];
  CHECK(choice["finish_reason"] == "tool_calls");
  CHECK(choice["message"]["tool_calls"][0]["id"].get<std::string>().size() == 9);
}

TEST_CASE("replies: log-probabilities of all tokens stand beside what they became") {
  Json body = asking();
  body["logprobs"] = true;
  const Json whole = answer(kTwoCalls, body);
  CHECK(whole["choices"][0]["logprobs"]["content"].size() == kTwoCalls.size());
  CHECK(whole["usage"]["completion_tokens"] == kTwoCalls.size());
}

TEST_CASE("replies: thinking comes apart from the answer and is counted") {
  const std::string_view text = "<think>\nHm.\n</think>\n\nYes.";
  const Json whole = answer(text, asking(false));
  const Json& message = whole["choices"][0]["message"];
  CHECK(message["reasoning_content"] == "Hm.");
  CHECK(message["reasoning"] == "Hm.");
  CHECK(message["content"] == "Yes.");
  const Json& usage = whole["usage"];
  // Every byte is a token here: from the end of the opening mark to that of the closing one.
  CHECK(usage["completion_tokens_details"]["reasoning_tokens"] == 14);
  CHECK(usage["completion_tokens"] == text.size());

  const Streamed streamed = stream(text, asking(false));
  CHECK(collected(streamed)["reasoning_content"] == "Hm.");
  CHECK(collected(streamed)["content"] == "Yes.");
  CHECK(streamed.usage["completion_tokens_details"]["reasoning_tokens"] == 14);
  bool answered = false;
  for (const Json& delta : streamed.deltas) {
    answered = answered || (delta.contains("content") && delta["content"] != "");
    if (answered) CHECK_FALSE(delta.contains("reasoning"));
    if (delta.contains("reasoning")) CHECK(delta["reasoning"] == delta["reasoning_content"]);
  }
}

TEST_CASE("replies: the prompt may have opened the thinking, or closed it") {
  Json body = asking(false);
  body["chat_template_kwargs"] = {{"enable_thinking", true}};
  const Json opened = answer("Hm.</think>Yes.", body)["choices"][0]["message"];
  CHECK(opened["reasoning_content"] == "Hm.");
  CHECK(opened["content"] == "Yes.");
  body["chat_template_kwargs"] = {{"enable_thinking", false}};
  const Json closed = answer("Yes.</think>", body)["choices"][0]["message"];
  CHECK_FALSE(closed.contains("reasoning_content"));
  CHECK(closed["content"] == "Yes.</think>");
}

TEST_CASE("replies: a user cannot open the thinking") {
  Json body = asking(false);
  body["messages"] = Json::array(
      {{{"role", "user"}, {"content", "x"}}, {{"role", "assistant"}, {"content", "so <think>"}}});
  body["continue_final_message"] = true;
  const Json message = answer("Yes.</think>", body)["choices"][0]["message"];
  CHECK(message["content"] == "Yes.</think>");
}

TEST_CASE("replies: reasoning_format none leaves the thinking where it was written") {
  Json body = asking(false);
  body["reasoning_format"] = "none";
  const std::string_view text = "<think>Hm.</think>Yes.";
  const Json whole = answer(text, body);
  CHECK(whole["choices"][0]["message"]["content"] == text);
  CHECK_FALSE(whole["choices"][0]["message"].contains("reasoning"));
  CHECK(whole["usage"]["completion_tokens_details"]["reasoning_tokens"] == 0);
}

TEST_CASE("replies: calls in history reach the template with arguments as an object") {
  Script script("ok");
  TestSetup setup;
  setup.hooks = script.hooks();
  setup.chat_template = kHermes;
  TestServer server(std::move(setup));
  const Json call{{"id", "call_1"},
                  {"type", "function"},
                  {"function", {{"name", "f"}, {"arguments", "{\"a\":[1,2]}"}}}};
  Json body = asking();
  body["messages"] = Json::array(
      {{{"role", "user"}, {"content", "x"}},
       {{"role", "assistant"}, {"content", nullptr}, {"tool_calls", Json::array({call})}},
       {{"role", "tool"}, {"tool_call_id", "call_1"}, {"content", "sunny"}}});
  const http::Response rendered = server.post("/apply-template", body);
  REQUIRE(rendered.status == 200);
  const std::string prompt = tree(rendered.body)["prompt"];
  CHECK(prompt.find("assistant\n<tool_call>f {\"a\": [1, 2]}</tool_call>") != std::string::npos);
  CHECK(prompt.find("<|im_start|>tool\nsunny<|im_end|>") != std::string::npos);
  CHECK(server.post("/v1/chat/completions", body).status == 200);
}

TEST_CASE("replies: stop strings end an answer before what they are split into") {
  Json body = asking();
  body["stop"] = "</tool_call>";
  const Json choice = answer(kTwoCalls, body)["choices"][0];
  CHECK(choice["message"]["tool_calls"].size() == 1);
  CHECK(choice["finish_reason"] == "tool_calls");
}

TEST_CASE("replies: a mark that is a control token is read, other control tokens are no text") {
  constexpr int32_t kMark = 310;
  VocabSource source = tiny_model().vocab();
  source.tokens.at(kMark) = "[TOOL_CALLS]";
  source.token_types.at(kMark) = static_cast<int32_t>(TokenType::kControl);
  const auto tokenizer = Tokenizer::make(source);
  REQUIRE(tokenizer.ok());
  const openai::GenerationFields fields;
  const std::string_view calls = "[{\"name\": \"f\", \"arguments\": {}}]";
  for (const bool with_calls : {true, false}) {
    ReplyOptions reply;
    if (with_calls) reply.format = reply_format_of(kMistral);
    auto text = ChoiceText::make(*tokenizer, fields, false, reply);
    REQUIRE(text.ok());
    std::vector<int32_t> ids{kMark, 256};  // 256: <|endoftext|>
    for (const char c : calls) ids.push_back(static_cast<unsigned char>(c));
    for (const int32_t id : ids) CHECK(text->push({0, id, 0, {}}));
    text->finish(-1);
    const std::vector<ReplyPiece> pieces = text->take().pieces;
    if (with_calls) {
      REQUIRE(pieces.size() == 2);
      CHECK(pieces[0] == ReplyPiece{ReplyPiece::Kind::kCall, "f", 0});
      CHECK(pieces[1] == ReplyPiece{ReplyPiece::Kind::kArguments, "{}", 0});
    } else {
      REQUIRE(pieces.size() == 1);
      CHECK(pieces[0].text == calls);
    }
  }
}
