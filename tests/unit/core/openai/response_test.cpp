// Answers, chunks and errors on the wire.
#include "core/openai/errors.hpp"
#include "core/openai/response/chat.hpp"
#include "core/openai/response/completions.hpp"
#include "core/openai/response/embeddings.hpp"
#include "core/openai/response/logprobs.hpp"
#include "core/openai/response/models.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace aictl;
using namespace aictl::openai;

namespace {

const AnswerHead kHead{"chatcmpl-1", 17, "org/\"m\"", "fp_0"};

Json parsed(const std::string& text) {
  auto tree = parse_json(text);
  if (!tree) FAIL(tree.error().message << " in " << text);
  return *tree;
}

}  // namespace

TEST_CASE("errors: the object has all four fields, code a string or null") {
  const Json body = error_body({400, "t", "", "", "m"});
  CHECK(dump_json(body) == R"({"error":{"message":"m","type":"t","param":null,"code":null}})");
  CHECK(error_body(missing("model"))["error"]["param"] == "model");
}

TEST_CASE("errors: statuses, types and codes follow the contract's table") {
  struct Case {
    ErrorCode code;
    int status;
    const char* type;
    const char* word;
  };
  const Case cases[] = {
      {ErrorCode::kInvalidArgument, 400, "invalid_request_error", "invalid_value"},
      {ErrorCode::kUnauthorized, 401, "invalid_request_error", "invalid_api_key"},
      {ErrorCode::kForbidden, 403, "permission_error", "model_not_allowed"},
      {ErrorCode::kConflict, 409, "conflict_error", "already_running"},
      {ErrorCode::kTooLarge, 413, "invalid_request_error", "payload_too_large"},
      {ErrorCode::kResourceExhausted, 429, "rate_limit_error", "queue_full"},
      {ErrorCode::kInternal, 500, "server_error", "engine_failure"},
      {ErrorCode::kUnsupported, 501, "not_supported_error", "not_supported"},
      {ErrorCode::kUnavailable, 503, "unavailable_error", "unavailable"},
      {ErrorCode::kDeadlineExceeded, 504, "timeout_error", "deadline_exceeded"}};
  for (const Case& c : cases) {
    const ApiError error = api_error(Error{c.code, "what", "hint"});
    CHECK(error.status == c.status);
    CHECK(error.type == c.type);
    CHECK(error.code == c.word);
    CHECK(error.message == "what; hint");
  }
}

TEST_CASE("errors: a prompt over the window names both numbers") {
  const ApiError error = context_length_exceeded("messages", 5000, 4096);
  CHECK(error.status == 400);
  CHECK(error.code == "context_length_exceeded");
  CHECK(error.param == "messages");
  CHECK(error.message.find("5000") != std::string::npos);
  CHECK(error.message.find("4096") != std::string::npos);
}

TEST_CASE("chat answer: message, usage and details are where clients look") {
  ChatAnswer answer;
  answer.head = kHead;
  answer.choices = {{"a", "stop", nullptr, nullptr}, {"b", "length", nullptr, {1, 2}}};
  answer.usage = {9, 3, 8};
  const Json json = chat_json(answer);
  CHECK(json["object"] == "chat.completion");
  CHECK(json["model"] == "org/\"m\"");
  CHECK(json["choices"][1]["index"] == 1);
  CHECK(json["choices"][1]["message"]["content"] == "b");
  CHECK(json["choices"][1]["token_ids"] == Json{1, 2});
  CHECK_FALSE(json["choices"][0].contains("token_ids"));
  CHECK_FALSE(json["choices"][0]["message"].contains("tool_calls"));
  CHECK(json["choices"][0]["logprobs"].is_null());
  CHECK(json["usage"]["total_tokens"] == 12);
  CHECK(json["usage"]["prompt_tokens_details"]["cached_tokens"] == 8);
}

TEST_CASE("chat chunks: each is JSON with the same head, text is escaped") {
  const ChatChunks chunks(kHead, false);
  const Json role = parsed(chunks.role(1));
  CHECK(role["object"] == "chat.completion.chunk");
  CHECK(role["id"] == "chatcmpl-1");
  CHECK(role["created"] == 17);
  CHECK(role["model"] == "org/\"m\"");
  CHECK(role["choices"][0]["index"] == 1);
  CHECK(role["choices"][0]["delta"] == Json{{"role", "assistant"}, {"content", ""}});
  CHECK(role["choices"][0]["finish_reason"].is_null());
  CHECK_FALSE(role.contains("usage"));
  const std::string text = chunks.content(0, "a\"\n\xC3\xA9\x01");
  CHECK(text.find('\n') == std::string::npos);
  CHECK(parsed(text)["choices"][0]["delta"] == Json{{"content", "a\"\n\xC3\xA9\x01"}});
  const Json last = parsed(chunks.finish(0, "length"));
  CHECK(last["choices"][0]["delta"] == Json::object());
  CHECK(last["choices"][0]["finish_reason"] == "length");
}

TEST_CASE("chat chunks: with usage every earlier chunk says null and the last has no choices") {
  const ChatChunks chunks(kHead, true);
  CHECK(parsed(chunks.role(0)).at("usage").is_null());
  CHECK(parsed(chunks.finish(0, "stop")).at("usage").is_null());
  const Json last = parsed(chunks.usage({4, 2, 0}));
  CHECK(last["choices"] == Json::array());
  CHECK(last["usage"]["total_tokens"] == 6);
}

TEST_CASE("chunks: extras stand where other servers put them") {
  const ChatChunks chunks(kHead, false);
  const Json chunk =
      parsed(chunks.content(0, "x", {R"({"content":[]})", "[5]", "[1,2]", R"({"prompt_n":1})"}));
  CHECK(chunk["choices"][0]["logprobs"] == Json{{"content", Json::array()}});
  CHECK(chunk["choices"][0]["token_ids"] == Json::array({5}));
  CHECK(chunk["prompt_token_ids"] == Json{1, 2});
  CHECK(chunk["timings"]["prompt_n"] == 1);
}

TEST_CASE("completion answers and chunks share one object name") {
  CompletionAnswer answer;
  answer.choices = {{"t", "stop", nullptr, nullptr, nullptr}};
  CHECK(completion_json(answer)["object"] == "text_completion");
  const CompletionChunks chunks({"cmpl-1", 1, "m", "fp"}, true);
  const Json chunk = parsed(chunks.text(3, "piece"));
  CHECK(chunk["object"] == "text_completion");
  CHECK(chunk["choices"][0]["text"] == "piece");
  CHECK(chunk["choices"][0]["index"] == 3);
  CHECK(parsed(chunks.finish(3, "stop"))["choices"][0]["text"] == "");
}

TEST_CASE("logprobs: chat form has bytes, and no infinities") {
  const float minus = -std::numeric_limits<float>::infinity();
  const TokenScores token{{"\xEF\xBF\xBD", "\xC3", -0.5f}, {{"a", "a", -0.5f}, {"b", "b", minus}}};
  const Json json = chat_logprobs(std::span(&token, 1));
  CHECK(json["content"][0]["bytes"] == Json::array({0xC3}));
  CHECK(json["content"][0]["logprob"] == -0.5);
  CHECK(json["content"][0]["top_logprobs"][1]["logprob"] == -9999.0);
  CHECK(json["refusal"].is_null());
}

TEST_CASE("logprobs: completion form counts offsets in characters") {
  const std::vector<TokenScores> tokens{{{"h\xC3\xA9", "h\xC3\xA9", -1}, {{"x", "x", -0.25f}}},
                                        {{"b", "b", -2}, {{"b", "b", -2}}}};
  const Json json = completion_logprobs(tokens, 10, 1);
  CHECK(json["tokens"] == Json{"h\xC3\xA9", "b"});
  CHECK(json["text_offset"] == Json{10, 12});
  CHECK(json["top_logprobs"][0]["x"] == -0.25);
  CHECK(json["top_logprobs"][0]["h\xC3\xA9"] == -1.0);
  CHECK(completion_logprobs(tokens, 0, 0)["top_logprobs"][0].is_null());
}

TEST_CASE("embeddings: base64 is that of the little-endian floats") {
  CHECK(base64("") == "");
  CHECK(base64("M") == "TQ==");
  CHECK(base64("Ma") == "TWE=");
  CHECK(base64("Man") == "TWFu");
  const std::vector<float> values{1.0f, -2.0f};
  CHECK(base64_floats(values) == "AACAPwAAAMA=");
  const std::vector<std::vector<float>> vectors{values};
  CHECK(embeddings_json("m", vectors, true, 3)["data"][0]["embedding"] == "AACAPwAAAMA=");
  CHECK(embeddings_json("m", vectors, false, 3)["data"][0]["embedding"] == Json{1.0, -2.0});
  CHECK(embeddings_json("m", vectors, false, 3)["usage"]["total_tokens"] == 3);
}

TEST_CASE("embeddings: a cut vector has length one again") {
  std::vector<float> vector{3, 4, 100};
  cut_embedding(vector, 2);
  CHECK(vector.size() == 2);
  CHECK(vector[0] == doctest::Approx(0.6));
  CHECK(vector[1] == doctest::Approx(0.8));
  std::vector<float> zero{0, 0};
  cut_embedding(zero, 1);
  CHECK(zero[0] == 0);
}

TEST_CASE("models: an entry is readable by both families of clients") {
  ModelCard card;
  card.id = "org/model:tag";
  card.created = 1763836974;
  card.context_trained = 2048;
  const Json json = model_list_json(std::span(&card, 1));
  CHECK(json["object"] == "list");
  CHECK(json["has_more"] == false);
  CHECK(json["first_id"] == "org/model:tag");
  const Json& entry = json["data"][0];
  CHECK(entry["object"] == "model");
  CHECK(entry["created_at"] == "2025-11-22T18:42:54Z");
  CHECK(entry["type"] == "model");
  CHECK(entry["meta"]["n_ctx_train"] == 2048);
  CHECK(model_list_json({})["first_id"].is_null());
}

TEST_CASE("tokens: pieces are text, or bytes where they are none") {
  CHECK(piece_json("ab") == "ab");
  CHECK(piece_json("\xC3") == Json::array({0xC3}));
  const std::vector<int32_t> ids{5};
  CHECK(tokenize_json(ids, 64, nullptr)["count"] == 1);
  CHECK(tokenize_json(ids, 64, nullptr)["max_model_len"] == 64);
  CHECK(tokenize_content_json(ids, nullptr)["tokens"] == Json::array({5}));
  CHECK(tokenize_content_json(ids, Json::array({"x"}))["tokens"][0]["piece"] == "x");
  CHECK(detokenize_json("t")["prompt"] == "t");
}

TEST_CASE("ids and fingerprints: stable for the same input, different for another") {
  CHECK(make_id("chatcmpl-", 1, 2) == make_id("chatcmpl-", 1, 2));
  CHECK(make_id("chatcmpl-", 1, 2) != make_id("chatcmpl-", 1, 3));
  CHECK(make_id("x", 1, 2).size() == 25);
  CHECK(system_fingerprint({"a", "b"}) == system_fingerprint({"a", "b"}));
  CHECK(system_fingerprint({"a", "b"}) != system_fingerprint({"ab", ""}));
  CHECK(system_fingerprint({"a"}).size() == 13);
}

TEST_CASE("chat: a message that only calls tools has null content, and both names of thinking") {
  ChatAnswer answer{kHead, {}, {}, {}, {}, {}};
  ChatChoice choice;
  choice.reasoning = "hm";
  choice.tool_calls = {{"call_1", "f", "{\"a\":1}"}, {"call_2", "g", "{}"}};
  choice.finish_reason = "tool_calls";
  answer.choices = {choice};
  answer.usage.reasoning_tokens = 3;
  const Json out = chat_json(answer);
  const Json& message = out["choices"][0]["message"];
  CHECK(message["content"].is_null());
  CHECK(message["reasoning_content"] == "hm");
  CHECK(message["reasoning"] == "hm");
  CHECK(message["tool_calls"].size() == 2);
  CHECK(
      message["tool_calls"][0] ==
      parsed(
          R"({"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}})"));
  CHECK(out["usage"]["completion_tokens_details"]["reasoning_tokens"] == 3);
  answer.choices[0] = {};
  const Json plain = chat_json(answer)["choices"][0]["message"];
  CHECK(plain["content"] == "");
  CHECK_FALSE(plain.contains("tool_calls"));
  CHECK_FALSE(plain.contains("reasoning"));
}

TEST_CASE("chat chunks: thinking and tool calls as the contract writes them") {
  const ChatChunks chunks(kHead, false);
  const auto delta = [](const std::string& chunk) { return parsed(chunk)["choices"][0]["delta"]; };
  CHECK(delta(chunks.reasoning(0, "h\"m")) ==
        parsed(R"({"reasoning_content":"h\"m","reasoning":"h\"m"})"));
  CHECK(delta(chunks.call(1, 2, "call_1", "f")) ==
        parsed(R"({"tool_calls":[{"index":2,"id":"call_1","type":"function",)"
               R"("function":{"name":"f","arguments":""}}]})"));
  CHECK(delta(chunks.arguments(1, 2, "{\"a\"")) ==
        parsed(R"({"tool_calls":[{"index":2,"function":{"arguments":"{\"a\""}}]})"));
}
