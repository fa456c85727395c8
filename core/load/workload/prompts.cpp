#include "core/load/workload/prompts.hpp"

#include <algorithm>
#include <cmath>

namespace aictl::load {
namespace {

constexpr std::string_view kWords =
    "a the of and to in is it on at by we he as or an be so if up no my me do go us one two out "
    "time day man year way work home life hand part head house water word name place world school "
    "number night point door road line side book tree city river field table letter music paper "
    "green white black small large long high old new good great first last right left open near "
    "far said made came took found gave told kept left went saw knew felt ran stood read "
    "from with that this there where when which what then than them they over under after before "
    "about again always because between while until every often never still just only even also "
    "morning evening summer winter window garden market village station machine question answer "
    "story country company system power light sound north south money order plan reason result";
constexpr std::string_view kFirstWord = "the";
constexpr int kRepeats = 8;
constexpr size_t kEnough = 16;

}  // namespace

std::vector<std::string> plain_words() {
  std::vector<std::string> words;
  for (size_t at = 0; at < kWords.size();) {
    const size_t end = std::min(kWords.find(' ', at), kWords.size());
    words.emplace_back(kWords.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

std::string Lexicon::write(Random& random, double tokens, bool begins) const {
  std::string text(begins ? kFirstWord : "");
  double left = tokens - (begins ? words.front().tokens : 0);
  double least = words.front().tokens;
  for (const Word& word : words) least = std::min(least, word.tokens);
  while (left >= least / 2) {
    const Word* word = &words[random.below(words.size())];
    // At the end only a word that fits: the cheapest is near, whatever was drawn.
    for (size_t i = 0; word->tokens > left && i < words.size(); ++i)
      word = &words[(static_cast<size_t>(word - words.data()) + 1) % words.size()];
    if (!text.empty()) text += ' ';
    text += word->text;
    left -= word->tokens;
  }
  return text;
}

Result<Lexicon> measure_lexicon(const CountTokens& count) {
  Lexicon lexicon;
  lexicon.source = "tokenizer";
  std::vector<Lexicon::Word> whole;
  for (std::string& word : plain_words()) {
    // Within a text: what a word costs at its beginning is another matter.
    std::string text(kFirstWord);
    auto before = count(text);
    if (!before) return std::move(before).error();
    for (int i = 0; i < kRepeats; ++i) text += " " + word;
    auto after = count(text);
    if (!after) return std::move(after).error();
    const double cost = static_cast<double>(*after - *before) / kRepeats;
    if (!(cost > 0)) continue;
    if (cost == std::floor(cost)) whole.push_back({word, cost});
    lexicon.words.push_back({std::move(word), cost});
  }
  if (lexicon.words.empty())
    return Error{ErrorCode::kDataRefused, "the server's tokenizer says that words cost no tokens",
                 ""};
  if (whole.size() >= kEnough) lexicon.words = std::move(whole);
  // Words of one token alone: then a text of any length can be written exactly.
  std::vector<Lexicon::Word> single;
  for (const auto& word : lexicon.words)
    if (word.tokens == 1) single.push_back(word);
  if (single.size() >= kEnough) lexicon.words = std::move(single);
  return lexicon;
}

Lexicon average_lexicon(double tokens_a_word, double overhead) {
  Lexicon lexicon;
  lexicon.source = "usage";
  lexicon.overhead = overhead;
  for (std::string& word : plain_words()) lexicon.words.push_back({std::move(word), tokens_a_word});
  return lexicon;
}

}  // namespace aictl::load
