#include "plugins/services/inference/text/encode/pre_tokenizer.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <chrono>
#include <set>
#include <string>

#include "core/base/utf8.hpp"
#include "tests/unit/plugins/inference/text/small_vocabs.hpp"

namespace aictl {
namespace {

using Pieces = std::vector<std::string>;

Pieces cut(std::string_view pre, std::string_view text) {
  const PreRow* row = find_pre_row(pre);
  REQUIRE(row != nullptr);
  const auto cutter = PreTokenizer::make(*row);
  REQUIRE_MESSAGE(cutter.ok(), cutter.error().message);
  PreTokenizer::Scratch scratch;
  Pieces pieces;
  size_t begin = 0;
  const auto ends = cutter->split(text, scratch).value();
  for (const uint32_t end : ends) {
    pieces.emplace_back(text.substr(begin, end - begin));
    begin = end;
  }
  return pieces;
}

}  // namespace

TEST_CASE("pre-tokenizer: gpt-2 keeps a space with the word it precedes") {
  CHECK(cut("gpt-2", "I'll go  to 12 x!!\n\n y") ==
        Pieces{"I", "'ll", " go", " ", " to", " 12", " x", "!!", "\n\n", " y"});
  CHECK(cut("gpt-2", "I'LL") == Pieces{"I", "'", "LL"});
  CHECK(cut("gpt-2", "").empty());
}

TEST_CASE(
    "pre-tokenizer: llama3 takes digits by threes, qwen2 one by one, digits before all else") {
  CHECK(cut("llama-bpe", "I'LL 12345\n\n\nx (y") ==
        Pieces{"I", "'LL", " ", "123", "45", "\n\n\n", "x", " (", "y"});
  CHECK(cut("qwen2", "a 123") == Pieces{"a", " ", "1", "2", "3"});
  CHECK(cut("starcoder", "a 12b") == Pieces{"a", " ", "1", "2", "b"});
  CHECK(cut("llama-bpe", "e\xCC\x81t") == Pieces{"e", "\xCC\x81t"});
  CHECK(cut("qwen35", "e\xCC\x81t") == Pieces{"e\xCC\x81t"});
}

TEST_CASE("pre-tokenizer: gpt-4o cuts words where upper case begins, endings included") {
  CHECK(cut("gpt-4o", "helloWorld HTTPServer don't a/\n") ==
        Pieces{"hello", "World", " HTTPServer", " don't", " a", "/\n"});
  CHECK(cut("tekken", "don't 12") == Pieces{"don", "'t", " ", "1", "2"});
}

TEST_CASE("pre-tokenizer: the passes of deepseek and falcon work on each other's pieces") {
  CHECK(cut("deepseek-llm", "ab  cd\n12  ") == Pieces{"ab", " ", " cd", "\n", "12", "  "});
  CHECK(cut("deepseek-llm", "x   1") == Pieces{"x", "   ", "1"});
  CHECK(cut("deepseek-coder", "ab \xE6\xBC\xA2 12") ==
        Pieces{"ab", " ", "\xE6\xBC\xA2", " ", "1", "2"});
  CHECK(cut("deepseek-v3", "12345\xE6\xBC\xA2\xE5\xAD\x97x !foo") ==
        Pieces{"123", "45", "\xE6\xBC\xA2\xE5\xAD\x97", "x", " !", "foo"});
  CHECK(cut("deepseek-v3", "a!foo") == Pieces{"a", "!foo"});
  CHECK(cut("falcon", "a12345=b") == Pieces{"a", "123", "45", "=", "b"});
}

TEST_CASE("pre-tokenizer: tiny_aya and superbpe count digits from the right") {
  CHECK(cut("tiny_aya", "1234567") == Pieces{"1", "234", "567"});
  CHECK(cut("tiny_aya", "x 123456 12") == Pieces{"x", " ", "123", "456", " ", "12"});
  CHECK(cut("tiny_aya", "12345a") == Pieces{"123", "45", "a"});  // no word ends after the digits
  CHECK(cut("superbpe", "1234567") == Pieces{"1", "234", "567"});
  CHECK(cut("superbpe", "12 ab123") == Pieces{"12", " ab", "123"});
  CHECK(cut("superbpe",
            "\xC2\xBD"
            "1234") == Pieces{"\xC2\xBD"
                              "1",
                              "234"});
  CHECK(cut("superbpe",
            "\xC2\xBD"
            "123\xC2\xBD") == Pieces{"\xC2\xBD", "123\xC2\xBD"});
}

TEST_CASE("pre-tokenizer: kimi-k2 keeps Han apart from other letters") {
  CHECK(cut("kimi-k2", "abc\xE6\xBC\xA2\xE5\xAD\x97\xE3\x81\x8Bna don't 1234") ==
        Pieces{"abc", "\xE6\xBC\xA2\xE5\xAD\x97", "\xE3\x81\x8Bna", " don't", " ", "123", "4"});
  // U+3007 is Han and a number, not a letter: it belongs to the number that has begun.
  CHECK(cut("kimi-k2", "12\xE3\x80\x87") == Pieces{"12\xE3\x80\x87"});
  CHECK(cut("kimi-k2", "aBc\xCC\x81") == Pieces{"a", "Bc\xCC\x81"});
}

TEST_CASE("pre-tokenizer: exaone-moe takes words with single spaces between as one piece") {
  CHECK(cut("exaone-moe", "one two  three 1") == Pieces{"one two", " ", " three", " ", "1"});
  CHECK(cut("seed-coder", "a\n!\n") == Pieces{"a", "\n", "!", "\n"});
  CHECK(cut("bailingmoe", "it's 12") == Pieces{"it", "'s", " ", "1", "2"});
  CHECK(cut("bloom", "a b|c (d") == Pieces{"a", " b", "|", "c", " (", "d"});
  CHECK(cut("viking", "a12") == Pieces{"a", "1", "2"});
}

TEST_CASE("pre-tokenizer: white space is what Unicode calls so") {
  const std::string vowel_separator =
      "a\xE1\xA0\x8E"
      "b";  // U+180E was a space before Unicode 6.3
  CHECK(cut("gpt-2", vowel_separator) == Pieces{"a", "\xE1\xA0\x8E", "b"});
  CHECK(cut("gpt-2", "a \xE1\xA0\x8E") == Pieces{"a", " \xE1\xA0\x8E"});
  CHECK(cut("gpt-2",
            "a\xE2\x80\x89\xC2\x85"
            "b") == Pieces{"a", "\xE2\x80\x89", "\xC2\x85", "b"});
}

TEST_CASE(
    "pre-tokenizer: every row gives back all of a random text in pieces of whole characters") {
  std::mt19937 random(1);
  for (const PreRow& row : pre_rows()) {
    const auto cutter = PreTokenizer::make(row);
    REQUIRE_MESSAGE(cutter.ok(), cutter.error().message);
    PreTokenizer::Scratch scratch;
    for (int round = 0; round < 20; ++round) {
      const std::string text = text_test::random_utf8(random, 60);
      uint32_t begin = 0;
      const auto ends = cutter->split(text, scratch).value();
      for (const uint32_t end : ends) {
        CHECK(end > begin);
        CHECK(utf8::is_valid(std::string_view(text).substr(begin, end - begin)));
        begin = end;
      }
      CHECK(begin == text.size());
    }
  }
}

TEST_CASE("pre-tokenizer: no row is slow or gives up on a long run of one character") {
  std::set<const PrePass*> seen;
  for (const PreRow& row : pre_rows()) {
    if (!seen.insert(row.passes.data()).second) continue;
    const auto cutter = PreTokenizer::make(row);
    REQUIRE(cutter.ok());
    PreTokenizer::Scratch scratch;
    for (const char* unit :
         {" ", "a", "A", "1", "\n", "!", "\xE0\xB8\x81", "\xE6\xBC\xA2", "\xCC\x81"})
      for (const char* tail : {"", "x", "1"}) {
        std::string text;
        while (text.size() < 300000) text += unit;
        text += tail;
        const auto begin = std::chrono::steady_clock::now();
        const auto pieces = cutter->split(text, scratch);
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
        CAPTURE(row.pre);
        CAPTURE(unit);
        REQUIRE_MESSAGE(pieces.ok(), pieces.error().message);
        CHECK(pieces->back() == text.size());
        CHECK(took.count() < 5);  // a quadratic search takes minutes
      }
  }
}

}  // namespace aictl
