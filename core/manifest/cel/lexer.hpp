// The words of an expression.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/manifest/cel/syntax.hpp"

namespace aictl::cel {

enum class Token : uint8_t { kEnd, kIdentifier, kLiteral, kSymbol };

struct Lexeme {
  Token token = Token::kEnd;
  std::string text;  // of an identifier or a symbol
  Literal literal;
  size_t column = 1;  // where it starts, in bytes from 1
};

/// Reads the lexemes of a text one after the other.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}
  /// Errors: kDataRefused "column N: ...".
  Result<Lexeme> next();

 private:
  Result<Lexeme> number(Lexeme lexeme);
  Result<Lexeme> quoted(Lexeme lexeme, bool raw);
  Result<void> escape(std::string& into);
  Error refuse(std::string why) const;

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace aictl::cel
