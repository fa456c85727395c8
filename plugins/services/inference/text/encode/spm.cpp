#include "plugins/services/inference/text/encode/spm.hpp"

#include <bit>
#include <charconv>

#include "core/base/utf8.hpp"

namespace aictl {
namespace {

constexpr std::string_view kSpace = "\xE2\x96\x81";  // U+2581

// Ranks rise as scores fall. No finite score has rank kNoMerge.
uint32_t rank_of_score(float score) {
  const auto bits = std::bit_cast<uint32_t>(score + 0.0f);  // -0 counts as 0
  return (bits >> 31) != 0 ? bits : ~(bits | 0x80000000u);
}

}  // namespace

int byte_of_piece(std::string_view piece) {
  if (piece.size() != 6 || !piece.starts_with("<0x") || piece.back() != '>') return -1;
  int value = -1;
  const char* end = piece.data() + 5;
  const auto [stop, error] = std::from_chars(piece.data() + 3, end, value, 16);
  return error == std::errc() && stop == end ? value : -1;
}

SpmEncoder::SpmEncoder(const Vocab& vocab) : vocab_(vocab) {
  byte_tokens_.fill(Vocab::kNoToken);
  for (int32_t id = 0; id < vocab.size(); ++id) {
    const std::string_view text = vocab.text(id);
    if (vocab.type(id) == TokenType::kByte) {
      const int byte = byte_of_piece(text);
      if (byte >= 0) byte_tokens_[static_cast<size_t>(byte)] = id;
    }
    for (size_t at = text.find(kSpace, 1); at != text.npos; at = text.find(kSpace, at + 1))
      before_space_[static_cast<unsigned char>(text[at - 1])] = true;
  }
}

// SentencePiece keeps control, unknown and byte pieces apart from those that text can spell.
bool SpmEncoder::mergeable(uint32_t piece) const {
  if (piece == PieceTable::kNone) return false;
  const TokenType type = vocab_.type(static_cast<int32_t>(piece));
  return type != TokenType::kControl && type != TokenType::kUnknown && type != TokenType::kByte;
}

// No piece reaches over a place where U+2581 follows a byte that precedes it in no piece, so the
// text can be cut there and every part merged by itself: words, in most vocabularies.
void SpmEncoder::encode(std::string_view text, bool space_prefix, Scratch& scratch,
                        std::vector<int32_t>& out) const {
  std::string& escaped = scratch.escaped;
  escaped.clear();
  escaped.reserve(text.size() + text.size() / 2 + kSpace.size());
  if (space_prefix) escaped += kSpace;
  for (const char c : text) {
    if (c == ' ')
      escaped += kSpace;
    else
      escaped.push_back(c);
  }
  const std::string_view all = escaped;
  size_t begin = 0;
  for (size_t at = all.find(kSpace, 1); at != all.npos; at = all.find(kSpace, at + 1)) {
    if (before_space_[static_cast<unsigned char>(all[at - 1])]) continue;
    encode_segment(all.substr(begin, at - begin), scratch.merger, out);
    begin = at;
  }
  encode_segment(all.substr(begin), scratch.merger, out);
}

void SpmEncoder::encode_segment(std::string_view segment, Merger& merger,
                                std::vector<int32_t>& out) const {
  merger.clear();
  for (size_t at = 0; at < segment.size();) {
    merger.add(static_cast<uint32_t>(at), 0);
    at += static_cast<size_t>(utf8::decode(segment.substr(at)).length);
  }
  const auto end = static_cast<uint32_t>(segment.size());
  merger.run(end, [&](const Symbol& left, const Symbol&, uint32_t right_end) -> MergeRank {
    const uint32_t piece = vocab_.pieces.find(segment.substr(left.begin, right_end - left.begin));
    if (!mergeable(piece)) return {};
    return {rank_of_score(vocab_.scores[piece]), piece};
  });
  const auto symbols = merger.symbols();
  for (size_t i = 0; i < symbols.size(); ++i) {
    const uint32_t stop = i + 1 < symbols.size() ? symbols[i + 1].begin : end;
    emit(segment.substr(symbols[i].begin, stop - symbols[i].begin), out);
  }
}

// A symbol made by a merge is a piece; only a single character can be none.
void SpmEncoder::emit(std::string_view symbol, std::vector<int32_t>& out) const {
  const uint32_t piece = vocab_.pieces.find(symbol);
  if (mergeable(piece)) return out.push_back(static_cast<int32_t>(piece));
  const size_t mark = out.size();
  for (const char c : symbol) {
    const int32_t token = byte_tokens_[static_cast<unsigned char>(c)];
    if (token == Vocab::kNoToken) {
      out.resize(mark);
      if (vocab_.unknown != Vocab::kNoToken) out.push_back(vocab_.unknown);
      return;
    }
    out.push_back(token);
  }
}

}  // namespace aictl
