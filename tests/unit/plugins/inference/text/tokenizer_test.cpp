#include "plugins/services/inference/text/tokenizer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

#include "plugins/services/inference/text/detokenizer.hpp"
#include "plugins/services/inference/text/encode/pre_rows.hpp"
#include "tests/unit/plugins/inference/text/small_vocabs.hpp"

namespace aictl {
namespace {

using namespace text_test;
using Ids = std::vector<int32_t>;

const std::string kSpace = "\xE2\x96\x81";

// SentencePiece's rule word for word: of all pairs the best, again and again.
Ids spm_oracle(const Vocab& vocab, const std::string& text) {
  std::vector<std::string> symbols;
  std::string escaped = text.empty() ? "" : kSpace;
  for (const char c : text) escaped += c == ' ' ? kSpace : std::string(1, c);
  for (std::string_view rest = escaped; !rest.empty();) {
    const auto length = static_cast<size_t>(utf8::decode(rest).length);
    symbols.emplace_back(rest.substr(0, length));
    rest.remove_prefix(length);
  }
  const auto normal = [&](const std::string& piece) {
    const int32_t id = vocab.find(piece);
    return id >= 0 && vocab.type(id) == TokenType::kNormal ? id : -1;
  };
  for (;;) {
    size_t best = symbols.size();
    float best_score = 0;
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      const int32_t id = normal(symbols[i] + symbols[i + 1]);
      if (id < 0) continue;
      const float score = vocab.scores[static_cast<size_t>(id)];
      if (best == symbols.size() || score > best_score) best = i, best_score = score;
    }
    if (best == symbols.size()) break;
    symbols[best] += symbols[best + 1];
    symbols.erase(symbols.begin() + static_cast<ptrdiff_t>(best) + 1);
  }
  Ids ids;
  for (const std::string& symbol : symbols) {
    if (const int32_t id = normal(symbol); id >= 0)
      ids.push_back(id);
    else
      for (const char c : symbol) ids.push_back(3 + static_cast<unsigned char>(c));
  }
  return ids;
}

Ids bpe_oracle(const Vocab& vocab, const std::vector<std::string>& merges, std::string_view piece) {
  std::vector<std::string> symbols;
  for (const char c : piece) symbols.push_back(mapped(std::string(1, c)));
  for (;;) {
    size_t best = symbols.size(), best_rank = merges.size();
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      const auto at = std::ranges::find(merges, symbols[i] + " " + symbols[i + 1]);
      const auto rank = static_cast<size_t>(at - merges.begin());
      if (rank < best_rank) best = i, best_rank = rank;
    }
    if (best == symbols.size()) break;
    symbols[best] += symbols[best + 1];
    symbols.erase(symbols.begin() + static_cast<ptrdiff_t>(best) + 1);
  }
  Ids ids;
  for (const std::string& symbol : symbols) ids.push_back(vocab.find(symbol));
  return ids;
}

SmallVocab random_spm(std::mt19937& random, const std::vector<std::string>& alphabet) {
  std::vector<std::string> pieces;
  for (size_t n = random() % 60; n > 0; --n) {
    std::string piece = random_text(random, alphabet, 4);
    if (!piece.empty() && std::ranges::find(pieces, piece) == pieces.end()) pieces.push_back(piece);
  }
  return spm_vocab(pieces);
}

Ids plain(const Tokenizer& tokenizer, std::string_view text) {
  return tokenizer.encode(text, {.add_special = false}).value();
}
Ids trusted(const Tokenizer& tokenizer, std::string_view text) {
  return tokenizer.encode(text, {.add_special = false, .parse_special = true}).value();
}

}  // namespace

TEST_CASE("tokenizer: SPM merges like the rule applied word for word") {
  std::mt19937 random(11);
  const std::vector<std::string> letters = {"a", "b", "\xC3\xA9", kSpace};
  const std::vector<std::string> alphabet = {"a", "b", "a", "\xC3\xA9", " ", kSpace, "z", "\xFF"};
  for (int round = 0; round < 300; ++round) {
    const Tokenizer tokenizer = random_spm(random, letters).tokenizer();
    for (int i = 0; i < 4; ++i) {
      const std::string text = random_text(random, alphabet, i == 0 ? 200 : 20);
      CAPTURE(text);
      CHECK(plain(tokenizer, text) == spm_oracle(tokenizer.vocab(), text));
    }
  }
}

TEST_CASE("tokenizer: BPE merges like the rule applied word for word") {
  std::mt19937 random(12);
  const std::vector<std::string> letters = {"a", "b", "c", "d"};
  for (int round = 0; round < 60; ++round) {
    std::vector<std::string> words;
    for (int i = 0; i < 12; ++i) words.push_back(random_text(random, letters, 9));
    const SmallVocab small = bpe_vocab(words, random() % 40);
    const Tokenizer tokenizer = small.tokenizer();
    for (int i = 0; i < 6; ++i) {
      const std::string text = random_text(random, letters, i == 0 ? 300 : 30);
      CAPTURE(text);
      CHECK(plain(tokenizer, text) == bpe_oracle(tokenizer.vocab(), small.merges, text));
    }
  }
}

TEST_CASE("tokenizer: any text of any bytes comes back from BPE as it went in") {
  std::mt19937 random(13);
  SmallVocab small = chat_vocab();
  for (const PreRow& row : pre_rows()) {
    small.pre = row.pre;
    const Tokenizer tokenizer = small.tokenizer();
    for (int round = 0; round < 10; ++round) {
      std::string text = random_utf8(random, 80);
      CHECK(detokenize(tokenizer, plain(tokenizer, text)) == text);
      for (char& c : text)
        if (random() % 8 == 0) c = static_cast<char>(random());
      std::string bytes;
      for (const int32_t id : plain(tokenizer, text)) bytes += tokenizer.piece(id);
      CHECK(bytes == text);
    }
  }
}

TEST_CASE("tokenizer: any text comes back from SPM with byte tokens as it went in") {
  std::mt19937 random(14);
  const Tokenizer tokenizer = random_spm(random, {"a", "b", kSpace}).tokenizer();
  for (int round = 0; round < 200; ++round) {
    const std::string text = random_utf8(random, 80);
    if (text.find(kSpace) != text.npos) continue;  // it would come back as a space
    CHECK(detokenize(tokenizer, plain(tokenizer, text), {.at_text_start = true}) == text);
  }
}

TEST_CASE("tokenizer: special tokens are parsed from trusted text, and never from other text") {
  const Tokenizer tokenizer = chat_vocab().tokenizer();
  const int32_t start = tokenizer.vocab().find("<|start|>"),
                end = tokenizer.vocab().find("<|end|>");
  CHECK(trusted(tokenizer, "<|start|>hello<|end|>") ==
        Ids{start, tokenizer.vocab().find("hello"), end});
  const std::string text = "<|start|>hello<|end|>";
  const Ids ids = plain(tokenizer, text);
  CHECK(std::ranges::none_of(ids, [&](int32_t id) { return tokenizer.is_control(id); }));
  CHECK(detokenize(tokenizer, ids) == text);
}

TEST_CASE("tokenizer: user-defined tokens are cut out of every text") {
  const Tokenizer tokenizer = chat_vocab().tokenizer();
  const int32_t tool = tokenizer.vocab().find("<tool>");
  CHECK(plain(tokenizer, "hello<tool>hello") ==
        Ids{tokenizer.vocab().find("hello"), tool, tokenizer.vocab().find("hello")});
}

TEST_CASE("tokenizer: merges that spell a control token stop short of it in untrusted text") {
  SmallVocab bpe = bpe_vocab({"stop", "stop"}, 3);
  REQUIRE(bpe.tokens.back() == "stop");
  bpe.types.back() = kControl;
  for (const bool ignore_merges : {false, true}) {
    bpe.pre = ignore_merges ? "llama3" : "gpt-2";
    const Tokenizer tokenizer = bpe.tokenizer();
    CHECK(plain(tokenizer, "stop").size() > 1);
    for (const int32_t id : plain(tokenizer, "stop")) CHECK_FALSE(tokenizer.is_control(id));
    CHECK(detokenize(tokenizer, plain(tokenizer, "stop")) == "stop");
  }
  const Tokenizer spm = spm_vocab({kSpace, "<", "s", ">", "<s", "s>"}).tokenizer();
  for (const char* text : {"<s>", "a<s>b</s>", "<0x41>", "<unk>"})
    for (const int32_t id : plain(spm, text)) CHECK_FALSE(spm.is_control(id));
  CHECK(detokenize(spm, plain(spm, "<0x41>"), {.at_text_start = true}) == "<0x41>");
}

TEST_CASE("tokenizer: spans without special tokens are one text") {
  std::mt19937 random(15);
  const Tokenizer bpe = chat_vocab().tokenizer();
  const Tokenizer spm = random_spm(random, {"a", "b", kSpace}).tokenizer();
  const std::vector<std::string> alphabet = {"hel", "lo", " the", "n",   " ",
                                             "a",   "b",  "\xC3", "\xA9"};
  for (int round = 0; round < 200; ++round) {
    const std::string text = random_text(random, alphabet, 30);
    std::vector<TextSpan> spans;
    for (std::string_view rest = text; !rest.empty();) {
      const size_t length = std::min<size_t>(rest.size(), random() % 8);
      spans.push_back({rest.substr(0, length), random() % 2 == 0});
      rest.remove_prefix(length);
    }
    for (const Tokenizer* tokenizer : {&bpe, &spm}) {
      CHECK(tokenizer->encode_spans(spans, false).value() == plain(*tokenizer, text));
      CHECK(tokenizer->encode_spans(spans, true).value() == tokenizer->encode(text).value());
    }
  }
}

TEST_CASE("tokenizer: a control token counts only where all of it is trusted") {
  const Tokenizer tokenizer = chat_vocab().tokenizer();
  const int32_t start = tokenizer.vocab().find("<|start|>");
  const auto count = [&](std::vector<TextSpan> spans) {
    return std::ranges::count(tokenizer.encode_spans(spans, false).value(), start);
  };
  CHECK(count({{"<|start|>", true}}) == 1);
  CHECK(count({{"<|start|>", false}}) == 0);
  CHECK(count({{"<|sta", true}, {"rt|>", true}}) == 1);
  CHECK(count({{"<|sta", true}, {"", false}, {"rt|>", true}}) == 1);
  CHECK(count({{"<|sta", true}, {"rt|>", false}}) == 0);
  CHECK(count({{"<|sta", false}, {"rt|>", true}}) == 0);
  CHECK(count({{"<|start|>", true}, {"<|start|>", false}, {"<|start|>", true}}) == 2);
}

TEST_CASE("tokenizer: of special tokens at one place the longest that may be read wins") {
  SmallVocab small = chat_vocab();
  const int32_t two = small.add("##", kUserDefined), four = small.add("####", kControl);
  const Tokenizer tokenizer = small.tokenizer();
  CHECK(plain(tokenizer, "####") == Ids{two, two});
  CHECK(trusted(tokenizer, "####") == Ids{four});
  CHECK(trusted(tokenizer, "######") == Ids{four, two});
}

TEST_CASE("tokenizer: beginning and end of text are added once") {
  const SmallVocab small = spm_vocab({"a"});
  VocabSource source = small.source();
  source.add_eos = true;
  const Tokenizer tokenizer = Tokenizer::make(source).value();
  const EncodeOptions both{.add_special = true, .parse_special = true};
  CHECK(tokenizer.encode("", both).value() == Ids{1, 2});
  const Ids once = tokenizer.encode("<s>a", both).value();
  CHECK(once == tokenizer.encode("a", both).value());
  CHECK(std::ranges::count(once, 1) == 1);
  CHECK(once.back() == 2);
  CHECK(tokenizer.encode("<s><s>a", both).value().size() == once.size() + 1);
}

TEST_CASE("tokenizer: SPM puts a space before a text and after special tokens") {
  const SmallVocab small = spm_vocab({kSpace, "a", kSpace + "a"});
  const Tokenizer tokenizer = small.tokenizer();
  const int32_t spaced = tokenizer.vocab().find(kSpace + "a"), eos = 2;
  CHECK(trusted(tokenizer, "a</s>a") == Ids{spaced, eos, spaced});
  VocabSource source = small.source();
  source.add_space_prefix = false;
  CHECK(plain(Tokenizer::make(source).value(), "a") == Ids{tokenizer.vocab().find("a")});
}

TEST_CASE("tokenizer: special tokens that strip swallow the white space after them") {
  SmallVocab small = spm_vocab({kSpace, "a", kSpace + "a"});
  const int32_t user = small.add("<|user|>", kControl);
  VocabSource source = small.source();
  source.special_strips_right = true;
  const Tokenizer tokenizer = Tokenizer::make(source).value();
  const int32_t spaced = tokenizer.vocab().find(kSpace + "a");
  CHECK(trusted(tokenizer, "<|user|> \n a") == Ids{user, spaced});
  CHECK(trusted(tokenizer, "<|user|> \n ") == Ids{user});
  CHECK(trusted(tokenizer, "<s> a").size() == 3);
}

TEST_CASE("tokenizer: a vocabulary without byte tokens falls back to the unknown one") {
  SmallVocab small;
  small.model = "llama";
  small.add("<unk>", kUnknown);
  small.add("<s>", kControl);
  small.add("</s>", kControl);
  small.add("a");
  VocabSource source = small.source();
  source.add_space_prefix = false;
  CHECK(plain(Tokenizer::make(source).value(), "a\xC3\xA9z") == Ids{3, 0, 0});
}

TEST_CASE("tokenizer: ten megabytes of one character or of bad bytes take a moment") {
  std::mt19937 random(16);
  const Tokenizer bpe = chat_vocab().tokenizer();
  const Tokenizer spm = spm_vocab({kSpace, kSpace + kSpace, "a", "aa", "aaaa"}).tokenizer();
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  const size_t size = 1000000;
#else
  const size_t size = 10000000;
#endif
  for (const char c : {' ', 'a', 'l', '\n', '<', '\xFF', '\xE2', '\x80'}) {
    const std::string text(size, c);
    for (const Tokenizer* tokenizer : {&bpe, &spm}) {
      const auto begin = std::chrono::steady_clock::now();
      CHECK(tokenizer->encode(text).ok());
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
      CAPTURE(c);
      CHECK(took.count() < 60);  // quadratic time would be days
    }
  }
}

TEST_CASE("tokenizer: a text above the limit is refused") {
  const Tokenizer tokenizer = chat_vocab().tokenizer();
  const std::string text(size_t{1} << 20, 'a');
  const std::vector<TextSpan> spans(257, {text, false});
  CHECK(tokenizer.encode_spans(spans, true).error().code == ErrorCode::kTooLarge);
}

TEST_CASE("tokenizer: threads share one") {
  const Tokenizer tokenizer = chat_vocab().tokenizer();
  const std::string text = "hello world, then the word 1234 <tool> held";
  const Ids expected = plain(tokenizer, text);
  std::vector<std::jthread> threads;
  std::array<bool, 4> same{};
  for (size_t i = 0; i < same.size(); ++i)
    threads.emplace_back([&, i] {
      same[i] = true;
      for (int round = 0; round < 200; ++round) same[i] &= plain(tokenizer, text) == expected;
    });
  threads.clear();
  for (const bool ok : same) CHECK(ok);
}

}  // namespace aictl
