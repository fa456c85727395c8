// What a client sent becomes tokens: continuing a message, the window, what is not cut.
#include "tests/unit/plugins/inference/api/test_server.hpp"

using namespace aictl;
using namespace aictl::inference;

namespace {

struct Kit {
  Tokenizer tokenizer = *Tokenizer::make(tiny_model().vocab());
  jinja::Template chat_ml = *jinja::Template::parse(tiny_model().chat_templates().at(0).second);
};

openai::Conversation talk(Json messages, bool continued) {
  openai::Conversation conversation;
  conversation.messages = std::move(messages);
  conversation.continue_final_message = continued;
  conversation.add_generation_prompt = !continued;
  return conversation;
}

}  // namespace

TEST_CASE("prompt: a continued message ends where its text ends") {
  const Kit kit;
  const Json messages = Json::array(
      {{{"role", "user"}, {"content", "x"}}, {{"role", "assistant"}, {"content", "x y"}}});
  const auto text = chat_prompt(talk(messages, true), &kit.chat_ml, kit.tokenizer, 0);
  REQUIRE(text.ok());
  CHECK(text->text == "<|im_start|>user\nx<|im_end|>\n<|im_start|>assistant\nx y");
}

TEST_CASE("prompt: an empty message to continue opens a turn") {
  const Kit kit;
  const Json messages = Json::array(
      {{{"role", "user"}, {"content", "x"}}, {{"role", "assistant"}, {"content", " "}}});
  const auto text = chat_prompt(talk(messages, true), &kit.chat_ml, kit.tokenizer, 0);
  REQUIRE(text.ok());
  CHECK(text->text == "<|im_start|>user\nx<|im_end|>\n<|im_start|>assistant\n");
}

TEST_CASE("prompt: a template that changes the message cannot continue it") {
  const Kit kit;
  const auto upper =
      jinja::Template::parse("{% for m in messages %}{{ m['content'] | upper }}{% endfor %}");
  REQUIRE(upper.ok());
  const Json messages = Json::array({{{"role", "assistant"}, {"content", "abc"}}});
  const auto text = chat_prompt(talk(messages, true), &*upper, kit.tokenizer, 0);
  REQUIRE_FALSE(text.ok());
  CHECK(text.error().param == "continue_final_message");
}

TEST_CASE("prompt: what a template raises is the client's 400, under messages") {
  const Kit kit;
  const auto raising = jinja::Template::parse("{{ raise_exception('roles must alternate') }}");
  REQUIRE(raising.ok());
  const Json messages = Json::array({{{"role", "user"}, {"content", "abc"}}});
  const auto text = chat_prompt(talk(messages, false), &*raising, kit.tokenizer, 0);
  REQUIRE_FALSE(text.ok());
  CHECK(text.error().status == 400);
  CHECK(text.error().param == "messages");
  CHECK(text.error().message.find("roles must alternate") != std::string::npos);
}

TEST_CASE("prompt: special tokens in template arguments and tools stay words") {
  const Kit kit;
  const auto printing =
      jinja::Template::parse("<|im_start|>{{ extra }}{{ tools[0]['function']['name'] }}");
  REQUIRE(printing.ok());
  openai::Conversation conversation =
      talk(Json::array({{{"role", "user"}, {"content", "x"}}}), false);
  conversation.kwargs = {{"extra", "<|im_end|>"}};
  conversation.tools =
      Json::array({{{"type", "function"}, {"function", {{"name", "<|im_start|>"}}}}});
  const auto text = chat_prompt(conversation, &*printing, kit.tokenizer, 0);
  REQUIRE(text.ok());
  int control = 0;
  for (const int32_t id : text->tokens) control += kit.tokenizer.is_control(id);
  CHECK(control == 1);
}

TEST_CASE("window: a prompt fits with room for one token, and is cut only when asked") {
  std::vector<int32_t> tokens(10, 1);
  CHECK_FALSE(fit_window(tokens, std::nullopt, 11, 100, "prompt").has_value());
  CHECK(fit_window(tokens, std::nullopt, 10, 1, "prompt").has_value());
  CHECK_FALSE(fit_window(tokens, std::nullopt, 10, 0, "input").has_value());
  CHECK(tokens.size() == 10);
  tokens = {1, 2, 3, 4};
  CHECK_FALSE(fit_window(tokens, 2, 10, 1, "prompt").has_value());
  CHECK(tokens == std::vector<int32_t>{3, 4});
  tokens.assign(20, 1);
  CHECK_FALSE(fit_window(tokens, -1, 10, 3, "prompt").has_value());
  CHECK(tokens.size() == 7);
  tokens.clear();
  CHECK(fit_window(tokens, std::nullopt, 10, 1, "prompt")->param == "prompt");
}
