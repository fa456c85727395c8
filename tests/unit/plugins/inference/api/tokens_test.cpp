// Tokenize, detokenize, apply-template, in both dialects.
#include "tests/unit/plugins/inference/api/test_server.hpp"

using namespace aictl;
using namespace aictl::inference;

TEST_CASE("tokenize: the forms of both families, and back") {
  TestServer server;
  const Json vllm = tree(
      server
          .post("/tokenize", {{"model", "tiny"}, {"prompt", "hello"}, {"return_token_strs", true}})
          .body);
  CHECK(vllm["count"] == vllm["tokens"].size());
  CHECK(vllm["max_model_len"] == server.engine().max_context());
  CHECK(vllm["token_strs"].size() == vllm["tokens"].size());
  const Json llama =
      tree(server.post("/tokenize", {{"content", "hello"}, {"with_pieces", true}}).body);
  std::string joined;
  for (const Json& token : llama["tokens"]) joined += token["piece"].get<std::string>();
  CHECK(joined == "hello");
  const Json back = tree(server.post("/detokenize", {{"tokens", vllm["tokens"]}}).body);
  CHECK(back["content"] == "hello");
  CHECK(back["prompt"] == "hello");
}

TEST_CASE("tokenize: control tokens are read from content, not from a prompt") {
  TestServer server;
  const Json special = tree(server.post("/tokenize", {{"content", "<|im_end|>"}}).body)["tokens"];
  CHECK(special.size() == 1);
  const Json plain = tree(server.post("/tokenize", {{"prompt", "<|im_end|>"}}).body)["tokens"];
  CHECK(plain.size() > 1);
  CHECK(tree(server.post("/detokenize", {{"tokens", special}}).body)["content"] == "<|im_end|>");
}

TEST_CASE("tokenize: pieces that are no text are bytes") {
  TestServer server;
  const Json tokens =
      tree(server.post("/tokenize", {{"content", "\xE2\x82\xAC"}, {"with_pieces", true}}).body);
  CHECK(tokens["tokens"].size() == 3);
  CHECK(tokens["tokens"][0]["piece"] == Json::array({0xE2}));
}

TEST_CASE("detokenize: an id outside the vocabulary is refused by its place") {
  TestServer server;
  const http::Response answer = server.post("/detokenize", {{"tokens", {1, 999999}}});
  CHECK(answer.status == 400);
  CHECK(tree(answer.body)["error"]["param"] == "tokens[1]");
}

TEST_CASE("apply-template: messages become the prompt") {
  TestServer server;
  const Json body{{"messages", {{{"role", "user"}, {"content", "hi"}}}}};
  CHECK(tree(server.post("/apply-template", body).body)["prompt"] ==
        "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n");
  Json closed = body;
  closed["add_generation_prompt"] = false;
  CHECK(tree(server.post("/apply-template", closed).body)["prompt"] ==
        "<|im_start|>user\nhi<|im_end|>\n");
  CHECK(server.post("/apply-template", {{"messages", Json::array()}}).status == 400);
}
