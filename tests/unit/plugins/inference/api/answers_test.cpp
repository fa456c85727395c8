// Whole answers: chat, completions, embeddings.
#include "tests/unit/plugins/inference/api/test_server.hpp"

#include "core/base/utf8.hpp"
#include "core/openai/response/embeddings.hpp"
#include "plugins/services/inference/text/detokenizer.hpp"

#include <cmath>

using namespace aictl;
using namespace aictl::inference;

namespace {

std::string content(const http::Response& answer) {
  REQUIRE_MESSAGE(answer.status == 200, answer.body);
  return tree(answer.body)["choices"][0]["message"]["content"].get<std::string>();
}

}  // namespace

TEST_CASE("chat: an answer has the shape clients read, and its headers") {
  TestServer server;
  const http::Response answer = server.post("/v1/chat/completions", chat_body("hello"));
  REQUIRE_MESSAGE(answer.status == 200, answer.body);
  const Json json = tree(answer.body);
  CHECK(json["object"] == "chat.completion");
  CHECK(json["id"].get<std::string>().starts_with("chatcmpl-"));
  CHECK(json["model"] == "tiny");
  CHECK(json["system_fingerprint"].get<std::string>().starts_with("fp_"));
  CHECK(json["choices"].size() == 1);
  CHECK(json["choices"][0]["finish_reason"] == "length");
  CHECK(json["choices"][0]["message"]["role"] == "assistant");
  CHECK(json["usage"]["completion_tokens"] == 8);
  CHECK(json["usage"]["prompt_tokens"].get<int>() > 4);
  CHECK(json["timings"]["predicted_n"] == 8);
  CHECK(answer.headers.get("content-type") == "application/json");
  CHECK(answer.headers.get("x-request-id") == answer.headers.get("request-id"));
  CHECK(answer.headers.get("x-aictl-response-id") == json["id"].get<std::string>());
  CHECK(answer.headers.has("x-aictl-seed"));
  CHECK(answer.headers.has("x-aictl-queue-ms"));
}

TEST_CASE("chat: the text is what the engine gives for the rendered prompt") {
  TestServer server;
  const std::string prompt = "<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n";
  auto tokens = server.tokenizer().encode(prompt, {.add_special = false, .parse_special = true});
  REQUIRE(tokens.ok());
  GenerateRequest request = ask(*tokens, 8);
  request.ignore_eos = true;
  const auto made = server.engine().generate(request);
  REQUIRE(made.ok());
  CHECK(content(server.post("/v1/chat/completions", chat_body("hello"))) ==
        detokenize(server.tokenizer(), ids(*made), {.at_text_start = true}));
}

TEST_CASE("chat: special tokens in a user's words stay words") {
  TestServer server;
  Json body{{"messages", {{{"role", "user"}, {"content", "<|im_end|>"}}}}};
  const Json tokens = tree(server.post("/tokenize", body).body)["tokens"];
  const int32_t end = server.tokenizer().vocab().find("<|im_end|>");
  int count = 0;
  for (const Json& id : tokens) count += id.get<int32_t>() == end;
  CHECK(count == 1);  // the template's own
}

TEST_CASE("chat: the same seed gives the same answer, the seed told does too") {
  TestServer server;
  Json body = chat_body("hello", 16);
  body["temperature"] = 1.5;
  const http::Response first = server.post("/v1/chat/completions", body);
  body["seed"] = tree(std::string(*first.headers.get("x-aictl-seed")));
  CHECK(content(server.post("/v1/chat/completions", body)) == content(first));
  body["seed"] = body["seed"].get<int64_t>() + 1;
  CHECK(content(server.post("/v1/chat/completions", body)) != content(first));
}

TEST_CASE("chat: n choices are numbered and counted") {
  TestServer server;
  Json body = chat_body("hello", 4);
  body["n"] = 3;
  body["temperature"] = 2;
  body["return_token_ids"] = true;
  const Json json = tree(server.post("/v1/chat/completions", body).body);
  REQUIRE(json["choices"].size() == 3);
  for (int i = 0; i < 3; ++i) {
    CHECK(json["choices"][i]["index"] == i);
    CHECK(json["choices"][i]["token_ids"].size() == 4);
  }
  CHECK(json["usage"]["completion_tokens"] == 12);
  CHECK(json["prompt_token_ids"].size() == json["usage"]["prompt_tokens"]);
  CHECK(json["choices"][0]["token_ids"] != json["choices"][1]["token_ids"]);
}

TEST_CASE("chat: a stop string ends the text before it, or with it when asked") {
  TestServer server;
  const std::string whole = content(server.post("/v1/chat/completions", chat_body("hello", 24)));
  const size_t middle = whole.size() / 2;
  const size_t begin = utf8::complete_prefix(std::string_view(whole).substr(0, middle));
  size_t length = 1;
  while (utf8::complete_prefix(std::string_view(whole).substr(begin, length)) != length) ++length;
  const std::string stop = whole.substr(begin, length);
  Json body = chat_body("hello", 24);
  body["stop"] = stop;
  const Json json = tree(server.post("/v1/chat/completions", body).body);
  CHECK(json["choices"][0]["finish_reason"] == "stop");
  const size_t at = whole.find(stop);
  CHECK(json["choices"][0]["message"]["content"] == whole.substr(0, at));
  body["include_stop_str_in_output"] = true;
  CHECK(content(server.post("/v1/chat/completions", body)) == whole.substr(0, at + stop.size()));
  CHECK(eventually([&] { return server.engine().stats().running == 0; }));
}

TEST_CASE("chat: a stop token ends it") {
  TestServer server;
  Json body = chat_body("hello", 8);
  body["return_token_ids"] = true;
  const Json ids = tree(server.post("/v1/chat/completions", body).body)["choices"][0]["token_ids"];
  body["stop_token_ids"] = Json::array({ids[3]});
  const Json json = tree(server.post("/v1/chat/completions", body).body)["choices"][0];
  CHECK(json["finish_reason"] == "stop");
  CHECK(json["token_ids"].size() <= 3);
}

TEST_CASE("chat: logprobs come with bytes and alternatives, most probable first") {
  TestServer server;
  Json body = chat_body("hello", 3);
  body["logprobs"] = true;
  body["top_logprobs"] = 2;
  const Json logprobs =
      tree(server.post("/v1/chat/completions", body).body)["choices"][0]["logprobs"];
  REQUIRE(logprobs["content"].size() == 3);
  for (const Json& token : logprobs["content"]) {
    REQUIRE(token["top_logprobs"].size() == 2);
    CHECK(token["logprob"].get<double>() <= 0);
    CHECK(token["bytes"].is_array());
    // Greedy: the chosen token is the most probable one.
    CHECK(token["top_logprobs"][0]["logprob"] == token["logprob"]);
    CHECK(token["top_logprobs"][0]["logprob"].get<double>() >=
          token["top_logprobs"][1]["logprob"].get<double>());
  }
}

TEST_CASE("chat: a banned token and a banned word are not chosen") {
  TestServer server;
  Json body = chat_body("hello", 6);
  body["return_token_ids"] = true;
  const Json first =
      tree(server.post("/v1/chat/completions", body).body)["choices"][0]["token_ids"][0];
  body["logit_bias"] = {{std::to_string(first.get<int>()), -100}};
  const Json other = tree(server.post("/v1/chat/completions", body).body);
  CHECK(other["choices"][0]["token_ids"].size() == 6);
  for (const Json& id : other["choices"][0]["token_ids"]) CHECK(id != first);
}

TEST_CASE("chat: a final message of the assistant is gone on with") {
  TestServer server;
  Json body = chat_body("hello");
  body["messages"].push_back({{"role", "assistant"}, {"content", "Once upon"}});
  body["continue_final_message"] = true;
  body["return_token_ids"] = true;
  const Json json = tree(server.post("/v1/chat/completions", body).body);
  const auto prompt = json["prompt_token_ids"].get<std::vector<int32_t>>();
  CHECK(detokenize(server.tokenizer(), prompt, {.show_control = true})
            .ends_with("<|im_start|>assistant\nOnce upon"));
}

TEST_CASE("chat: the end of the window ends the answer as length") {
  TestSetup setup;
  setup.engine.max_context = 64;
  TestServer server(std::move(setup));
  for (const Json& limit : {Json(nullptr), Json(100000)}) {
    Json body = chat_body("hello");
    body["max_tokens"] = limit;
    const Json json = tree(server.post("/v1/chat/completions", body).body);
    CHECK(json["choices"][0]["finish_reason"] == "length");
    CHECK(json["usage"]["total_tokens"] == 64);
  }
}

TEST_CASE("completions: prompts times n choices, in that order") {
  TestServer server;
  Json body = completion_body("");
  body["prompt"] = {"abc", "hello"};
  body["n"] = 2;
  const Json json = tree(server.post("/v1/completions", body).body);
  CHECK(json["object"] == "text_completion");
  CHECK(json["id"].get<std::string>().starts_with("cmpl-"));
  REQUIRE(json["choices"].size() == 4);
  CHECK(json["choices"][0]["text"] == json["choices"][1]["text"]);  // greedy
  const Json alone = tree(server.post("/v1/completions", completion_body("hello")).body);
  CHECK(json["choices"][2]["text"] == alone["choices"][0]["text"]);
  CHECK(json["choices"][3]["index"] == 3);
}

TEST_CASE("completions: token ids are taken as they are, echo puts the prompt in front") {
  TestServer server;
  const auto tokens = server.tokenizer().encode("hello");
  REQUIRE(tokens.ok());
  Json by_ids = completion_body("");
  by_ids["prompt"] = *tokens;
  const Json text = tree(server.post("/v1/completions", completion_body("hello")).body);
  CHECK(tree(server.post("/v1/completions", by_ids).body)["choices"][0]["text"] ==
        text["choices"][0]["text"]);
  for (Json body : {by_ids, completion_body("hello")}) {
    body["echo"] = true;
    CHECK(tree(server.post("/v1/completions", body).body)["choices"][0]["text"] ==
          "hello" + text["choices"][0]["text"].get<std::string>());
  }
}

TEST_CASE("completions: more prompts than may wait are answered all the same") {
  TestSetup setup;
  setup.engine.max_sequences = 2;
  setup.engine.max_waiting = 2;
  TestServer server(std::move(setup));
  Json body = completion_body("", 2);
  body["prompt"] = Json::array();
  for (int i = 0; i < 40; ++i) body["prompt"].push_back("p" + std::to_string(i));
  const Json json = tree(server.post("/v1/completions", body).body);
  REQUIRE_MESSAGE(json.contains("choices"), dump_json(json));
  CHECK(json["choices"].size() == 40);
  CHECK(json["usage"]["completion_tokens"] == 80);
}

TEST_CASE("completions: truncation cuts the front only when asked to") {
  TestServer server;
  Json body = completion_body("abcdefgh");
  body["truncate_prompt_tokens"] = 3;
  body["return_token_ids"] = true;
  const Json ids =
      tree(server.post("/v1/completions", body).body)["choices"][0]["prompt_token_ids"];
  CHECK(ids.size() == 3);
  body.erase("truncate_prompt_tokens");
  const Json all =
      tree(server.post("/v1/completions", body).body)["choices"][0]["prompt_token_ids"];
  CHECK(all.size() > 3);
  CHECK(all.back() == ids.back());
}

TEST_CASE("embeddings: unit vectors, by input, as floats and as base64") {
  TestServer server;
  Json body{{"model", "tiny"}, {"input", {"hello", "abc"}}};
  const Json json = tree(server.post("/v1/embeddings", body).body);
  REQUIRE_MESSAGE(json.contains("data"), dump_json(json));
  REQUIRE(json["data"].size() == 2);
  CHECK(json["data"][1]["index"] == 1);
  CHECK(json["usage"]["prompt_tokens"].get<int>() > 0);
  const auto vector = json["data"][0]["embedding"].get<std::vector<float>>();
  CHECK(vector.size() == 32);
  double squares = 0;
  for (const float v : vector) squares += v * v;
  CHECK(squares == doctest::Approx(1).epsilon(1e-4));
  body["encoding_format"] = "base64";
  CHECK(tree(server.post("/v1/embeddings", body).body)["data"][0]["embedding"] ==
        openai::base64_floats(vector));
  body["dimensions"] = 8;
  body["encoding_format"] = "float";
  CHECK(tree(server.post("/v1/embeddings", body).body)["data"][0]["embedding"].size() == 8);
}

TEST_CASE("embeddings: more inputs than may wait are answered all the same") {
  TestSetup setup;
  setup.engine.max_waiting = 2;
  TestServer server(std::move(setup));
  Json body{{"model", "tiny"}, {"input", Json::array()}};
  for (int i = 0; i < 60; ++i) body["input"].push_back("text " + std::to_string(i));
  const Json json = tree(server.post("/v1/embeddings", body).body);
  REQUIRE_MESSAGE(json.contains("data"), dump_json(json));
  CHECK(json["data"].size() == 60);
}

TEST_CASE("chat: usage tells how much of the prompt was computed for an earlier request") {
  TestServer server;
  const auto usage_of = [&](const Json& extra) {
    Json body = chat_body(std::string(200, 'x'));
    body.update(extra);
    const http::Response answer = server.post("/v1/chat/completions", body);
    REQUIRE_MESSAGE(answer.status == 200, answer.body);
    return tree(answer.body);
  };
  const auto cached = [](const Json& answer) {
    return answer["usage"]["prompt_tokens_details"]["cached_tokens"].get<int>();
  };
  const Json first = usage_of(Json::object()), second = usage_of(Json::object());
  CHECK(cached(first) == 0);
  CHECK(cached(second) >= 64);
  CHECK(cached(second) < second["usage"]["prompt_tokens"].get<int>());
  CHECK(second["timings"]["cache_n"] == cached(second));
  CHECK(second["timings"]["prompt_n"].get<int>() ==
        second["usage"]["prompt_tokens"].get<int>() - cached(second));
  CHECK(second["choices"][0]["message"]["content"] == first["choices"][0]["message"]["content"]);
  CHECK(cached(usage_of({{"cache_prompt", false}})) == 0);
  CHECK(cached(usage_of({{"cache_salt", "mine"}})) == 0);
  CHECK(cached(usage_of({{"cache_salt", "mine"}})) == cached(second));
  CHECK(server.get("/metrics").body.find("vllm:prefix_cache_hits") != std::string::npos);
}
