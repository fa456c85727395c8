// Completions, embeddings, tokenize, detokenize, apply-template.
#include "core/openai/request/text.hpp"

#include <doctest/doctest.h>

using namespace aictl;
using namespace aictl::openai;

namespace {

using Ids = std::vector<int32_t>;

Json completion(Json prompt) { return {{"model", "m"}, {"prompt", std::move(prompt)}}; }

}  // namespace

TEST_CASE("completion request: a prompt is text, texts, token ids, or lists of them") {
  CHECK(std::get<std::string>(parse_completion(completion("a"))->prompts.at(0)) == "a");
  CHECK(parse_completion(completion({"a", "b"}))->prompts.size() == 2);
  CHECK(std::get<Ids>(parse_completion(completion({1, 2}))->prompts.at(0)) == Ids{1, 2});
  const auto lists = parse_completion(completion(Json::array({{1, 2}, {3}})));
  REQUIRE(lists.ok());
  CHECK(std::get<Ids>(lists->prompts.at(1)) == Ids{3});
}

TEST_CASE("completion request: other prompts are refused") {
  const Json bad[] = {Json(5),  Json::array(),   Json::array({Json::array()}), {1, -1}, {1, "a"},
                      {1, 1.5}, {1, 4294967296}, Json::array({{1}, {"a"}}),    {true}};
  for (const Json& prompt : bad) {
    CAPTURE(dump_json(prompt));
    const auto parsed = parse_completion(completion(prompt));
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.error().param == "prompt");
  }
}

TEST_CASE("completion request: logprobs is a number up to five, best_of must equal n") {
  Json body = completion("a");
  body["logprobs"] = 5;
  CHECK(parse_completion(body)->generation.sampling.logprobs == 5);
  body["logprobs"] = 6;
  CHECK(parse_completion(body).error().param == "logprobs");
  body["logprobs"] = 1;
  body["echo"] = true;
  CHECK(parse_completion(body).error().param == "echo");
  body = completion("a");
  body["best_of"] = 1;
  CHECK(parse_completion(body).ok());
  body["best_of"] = 2;
  CHECK(parse_completion(body).error().param == "best_of");
  body["n"] = 2;
  CHECK(parse_completion(body).ok());
}

TEST_CASE("completion request: what belongs to a chat is refused by name, not dropped") {
  const std::pair<std::string, Json> fields[] = {
      {"messages", Json::array({{{"role", "user"}, {"content", "hi"}}})},
      {"tools", Json::array({{{"type", "function"}, {"function", {{"name", "f"}}}}})},
      {"tool_choice", "auto"},
      {"functions", Json::array({{{"name", "f"}}})},
      {"function_call", "auto"},
      {"response_format", {{"type", "json_object"}}}};
  for (const auto& field : fields) {
    const std::string& name = field.first;  // a binding could not be captured
    CAPTURE(name);
    Json body = completion("a");
    body[name] = field.second;
    const auto parsed = parse_completion(body);
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.error().status == 400);
    CHECK(parsed.error().param == name);
  }
  // Without a prompt the field that was sent in its place is what is named.
  Json body = completion(nullptr);
  body["messages"] = fields[0].second;
  CHECK(parse_completion(body).error().param == "messages");
}

TEST_CASE("completion request: the number of choices of all prompts is bounded") {
  Json prompts = Json::array();
  for (int i = 0; i < 100; ++i) prompts.push_back("x");
  Json body = completion(prompts);
  CHECK(parse_completion(body).ok());
  body["n"] = 128;
  CHECK(parse_completion(body).error().param == "prompt");
}

TEST_CASE("embeddings request: formats and dimensions") {
  Json body{{"model", "m"}, {"input", {"a", "b"}}, {"encoding_format", "base64"}};
  CHECK(parse_embeddings(body)->base64);
  body["dimensions"] = 8;
  CHECK(parse_embeddings(body)->dimensions == 8);
  body["dimensions"] = 0;
  CHECK(parse_embeddings(body).error().param == "dimensions");
  body.erase("dimensions");
  body["encoding_format"] = "hex";
  CHECK(parse_embeddings(body).error().param == "encoding_format");
  body.erase("encoding_format");
  body.erase("input");
  CHECK(parse_embeddings(body).error().param == "input");
}

TEST_CASE("tokenize request: both forms with their own defaults") {
  const auto vllm = parse_tokenize({{"model", "m"}, {"prompt", "a"}, {"return_token_strs", true}});
  REQUIRE(vllm.ok());
  CHECK_FALSE(vllm->content_form);
  CHECK(vllm->add_special);
  CHECK_FALSE(vllm->parse_special);
  CHECK(vllm->with_pieces);
  const auto llama = parse_tokenize({{"content", "a"}, {"with_pieces", true}});
  REQUIRE(llama.ok());
  CHECK(llama->content_form);
  CHECK_FALSE(llama->add_special);
  CHECK(llama->parse_special);
  CHECK(llama->with_pieces);
  CHECK_FALSE(parse_tokenize({{"content", "a"}, {"prompt", "b"}}).ok());
  CHECK(parse_tokenize(Json::object()).error().param == "prompt");
}

TEST_CASE("tokenize request: messages are rendered, so nothing special is added") {
  const auto parsed = parse_tokenize({{"messages", {{{"role", "user"}, {"content", "hi"}}}}});
  REQUIRE(parsed.ok());
  REQUIRE(parsed->conversation.has_value());
  CHECK_FALSE(parsed->add_special);
}

TEST_CASE("detokenize request: tokens are ids") {
  CHECK(parse_detokenize({{"tokens", {1, 2}}})->tokens == Ids{1, 2});
  CHECK(parse_detokenize({{"tokens", {1, -2}}}).error().param == "tokens[1]");
  CHECK(parse_detokenize(Json::object()).error().param == "tokens");
}

TEST_CASE("request bodies: a thousand levels of nesting are refused, ten megabytes are taken") {
  const std::string deep = std::string(1000, '[') + std::string(1000, ']');
  CHECK_FALSE(parse_json("{\"model\":\"m\",\"prompt\":" + deep + "}").ok());
  const std::string text(10 << 20, 'a');
  const auto body = parse_json("{\"model\":\"m\",\"prompt\":\"" + text + "\"}");
  REQUIRE(body.ok());
  const auto parsed = parse_completion(*body);
  REQUIRE(parsed.ok());
  CHECK(std::get<std::string>(parsed->prompts.at(0)).size() == text.size());
}
