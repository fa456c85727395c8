// Vocabularies made on the spot: a SentencePiece-like one from random pieces, a byte-level BPE one
// trained on a few lines. Both can spell every byte.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "plugins/services/inference/text/encode/byte_map.hpp"
#include "plugins/services/inference/text/tokenizer.hpp"

namespace aictl::text_test {

inline constexpr int32_t kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kByte = 6;

/// Owns what a VocabSource only looks at.
struct SmallVocab {
  std::string model;
  std::string pre = "gpt-2";
  std::vector<std::string> tokens, merges;
  std::vector<float> scores;
  std::vector<int32_t> types;

  int32_t add(std::string token, int32_t type = kNormal, float score = 0) {
    tokens.push_back(std::move(token));
    types.push_back(type);
    if (model == "llama") scores.push_back(score);
    return static_cast<int32_t>(tokens.size()) - 1;
  }

  VocabSource source() const {
    VocabSource source;
    source.model = model;
    if (model == "gpt2") source.pre = pre;
    source.tokens.assign(tokens.begin(), tokens.end());
    source.merges.assign(merges.begin(), merges.end());
    source.scores = scores;
    source.token_types = types;
    return source;
  }
  Tokenizer tokenizer() const { return Tokenizer::make(source()).value(); }
};

/// <unk> <s> </s>, the bytes from id 3, then `pieces` with scores that fall, some of them equal.
inline SmallVocab spm_vocab(const std::vector<std::string>& pieces) {
  SmallVocab vocab;
  vocab.model = "llama";
  vocab.add("<unk>", kUnknown);
  vocab.add("<s>", kControl);
  vocab.add("</s>", kControl);
  for (int byte = 0; byte < 256; ++byte) vocab.add(fmt::format("<0x{:02X}>", byte), kByte);
  float score = 0;
  for (size_t i = 0; i < pieces.size(); ++i) vocab.add(pieces[i], kNormal, score -= i % 3 == 0);
  return vocab;
}

inline std::string mapped(std::string_view bytes) {
  std::string out;
  append_mapped(out, bytes);
  return out;
}

/// The 256 bytes, then what `count` merges of the commonest neighbours in `words` make.
inline SmallVocab bpe_vocab(const std::vector<std::string>& words, size_t count) {
  SmallVocab vocab;
  vocab.model = "gpt2";
  std::vector<std::vector<std::string>> split;
  for (int byte = 0; byte < 256; ++byte) vocab.add(mapped(std::string(1, static_cast<char>(byte))));
  for (const std::string& word : words) {
    auto& symbols = split.emplace_back();
    for (const char c : word) symbols.push_back(mapped(std::string(1, c)));
  }
  while (vocab.merges.size() < count) {
    std::map<std::pair<std::string, std::string>, int> seen;
    for (const auto& word : split)
      for (size_t i = 0; i + 1 < word.size(); ++i) ++seen[{word[i], word[i + 1]}];
    if (seen.empty()) break;
    auto best = seen.begin();
    for (auto at = seen.begin(); at != seen.end(); ++at)
      if (at->second > best->second) best = at;
    const auto [left, right] = best->first;
    vocab.merges.push_back(left + " " + right);
    if (std::ranges::find(vocab.tokens, left + right) == vocab.tokens.end())
      vocab.add(left + right);
    for (auto& word : split)
      for (size_t i = 0; i + 1 < word.size(); ++i)
        if (word[i] == left && word[i + 1] == right) {
          word[i] += right;
          word.erase(word.begin() + static_cast<ptrdiff_t>(i) + 1);
        }
  }
  return vocab;
}

/// A trained vocabulary with the special tokens <|start|> and <|end|> (control) and <tool>
/// (user-defined).
inline SmallVocab chat_vocab() {
  SmallVocab vocab = bpe_vocab({"hello", "help", "held", " world", " word", " the", " then",
                                "start", " tart", "1234", "12", "tool", "end", " send", " mending"},
                               60);
  vocab.add("<|start|>", kControl);
  vocab.add("<|end|>", kControl);
  vocab.add("<tool>", kUserDefined);
  return vocab;
}

/// Up to `length` code points from `alphabet`.
inline std::string random_text(std::mt19937& random, const std::vector<std::string>& alphabet,
                               size_t length) {
  std::string text;
  for (size_t n = random() % (length + 1); n > 0; --n) text += alphabet[random() % alphabet.size()];
  return text;
}

/// Any code points at all.
inline std::string random_utf8(std::mt19937& random, size_t length) {
  std::string text;
  for (size_t n = random() % (length + 1); n > 0; --n) {
    const char32_t limits[] = {0x80, 0x800, 0x10000, 0x110000};
    char32_t code = random() % limits[random() % 4];
    if (code >= 0xD800 && code <= 0xDFFF) code = ' ';
    utf8::append(text, code);
  }
  return text;
}

}  // namespace aictl::text_test
