// Log-probabilities as the two endpoints show them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/value/json.hpp"

namespace aictl::openai {

struct ScoredToken {
  std::string text;   // valid UTF-8
  std::string bytes;  // what the token really stands for
  float logprob = 0;  // natural; -9999 and less are shown as -9999
};

struct TokenScores {
  ScoredToken chosen;
  std::vector<ScoredToken> top;  // most probable first
};

/// `{"content":[{token,logprob,bytes,top_logprobs}],"refusal":null}`.
Json chat_logprobs(std::span<const TokenScores> tokens);

/// `{tokens,token_logprobs,top_logprobs,text_offset}`; the first token's text begins at `offset`
/// code points. With `alternatives` 0 the entries of top_logprobs are null.
Json completion_logprobs(std::span<const TokenScores> tokens, size_t offset, int alternatives);

}  // namespace aictl::openai
