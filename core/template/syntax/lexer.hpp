// Lexer: template source to tokens. Here live the rules of blanks: trim_blocks, lstrip_blocks, and
// the signs - and + of a tag; and raw blocks and comments, which leave no tokens of their own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/template/template.hpp"

namespace aictl::jinja {

enum class TokenType {
  kData,           // text between tags
  kVariableBegin,  // {{
  kVariableEnd,
  kBlockBegin,  // {%
  kBlockEnd,
  kName,
  kString,  // text: after its escapes
  kInteger,
  kFloat,
  kOperator,
  kEnd,
};

struct Token {
  TokenType type = TokenType::kEnd;
  std::string text;
  int line = 1;
};

/// All tokens of `source`, the last being kEnd. Errors: kDataRefused "line N: ...".
Result<std::vector<Token>> tokenize(std::string_view source, const Options& options);

}  // namespace aictl::jinja
