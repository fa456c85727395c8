#include "core/openai/response/logprobs.hpp"

#include "core/base/utf8.hpp"

namespace aictl::openai {
namespace {

// JSON has no infinity; written so that a NaN falls out too.
double shown(float logprob) { return logprob > -9999.0f ? logprob : -9999.0; }

Json entry(const ScoredToken& token) {
  Json bytes = Json::array();
  for (const char c : token.bytes) bytes.push_back(static_cast<unsigned char>(c));
  return {{"token", token.text}, {"logprob", shown(token.logprob)}, {"bytes", std::move(bytes)}};
}

}  // namespace

Json chat_logprobs(std::span<const TokenScores> tokens) {
  Json content = Json::array();
  for (const TokenScores& token : tokens) {
    Json top = Json::array();
    for (const ScoredToken& other : token.top) top.push_back(entry(other));
    Json chosen = entry(token.chosen);
    chosen["top_logprobs"] = std::move(top);
    content.push_back(std::move(chosen));
  }
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

Json completion_logprobs(std::span<const TokenScores> tokens, size_t offset, int alternatives) {
  Json texts = Json::array(), logprobs = Json::array(), tops = Json::array(),
       offsets = Json::array();
  for (const TokenScores& token : tokens) {
    texts.push_back(token.chosen.text);
    logprobs.push_back(shown(token.chosen.logprob));
    offsets.push_back(offset);
    offset += utf8::count(token.chosen.text);
    if (alternatives <= 0) {
      tops.push_back(nullptr);
      continue;
    }
    Json top = Json::object();
    for (const ScoredToken& other : token.top)
      if (!top.contains(other.text)) top[other.text] = shown(other.logprob);
    if (!top.contains(token.chosen.text)) top[token.chosen.text] = shown(token.chosen.logprob);
    tops.push_back(std::move(top));
  }
  return {{"tokens", std::move(texts)},
          {"token_logprobs", std::move(logprobs)},
          {"top_logprobs", std::move(tops)},
          {"text_offset", std::move(offsets)}};
}

}  // namespace aictl::openai
