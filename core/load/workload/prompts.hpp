// Texts of a wanted number of tokens, out of words whose cost the server's tokenizer told.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/load/arrival/random.hpp"

namespace aictl::load {

/// How many tokens the server makes of a text, without what it adds around it.
using CountTokens = std::function<Result<int64_t>(const std::string& text)>;

/// Words to write with. Each stands after a space.
struct Lexicon {
  struct Word {
    std::string text;
    double tokens = 1;
  };
  std::vector<Word> words;
  double overhead = 0;  // tokens of a prompt beyond those of its words: the template
  std::string source;   // "tokenizer", "usage": who told

  /// A text of about `tokens` tokens, the same for the same state of `random`. One that begins a
  /// prompt begins with the same word as all: what is odd about beginnings is in `overhead`.
  std::string write(Random& random, double tokens, bool begins = true) const;
};

/// The words this program writes with, before anyone has told their cost.
std::vector<std::string> plain_words();

/// Asks `count` for the cost of each plain word within a text; keeps those of a whole number of
/// tokens if there are enough of them. Errors: as `count`.
Result<Lexicon> measure_lexicon(const CountTokens& count);

/// All words at the same average cost: when only the sizes of whole prompts are known.
Lexicon average_lexicon(double tokens_a_word, double overhead);

}  // namespace aictl::load
