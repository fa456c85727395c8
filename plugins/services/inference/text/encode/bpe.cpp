#include "plugins/services/inference/text/encode/bpe.hpp"

#include "core/base/utf8.hpp"
#include "plugins/services/inference/text/encode/byte_map.hpp"

namespace aictl {

Result<BpeEncoder> BpeEncoder::make(const Vocab& vocab, const PreRow& row) {
  auto pre = PreTokenizer::make(row);
  if (!pre) return std::move(pre).error();
  BpeEncoder encoder(vocab, std::move(*pre), row.ignore_merges);
  for (size_t rank = 0; rank < vocab.merges.size(); ++rank) {
    const auto& [left, right, result] = vocab.merges[rank];
    if (!encoder.pairs_.add(left, right, {static_cast<uint32_t>(rank), result}))
      return Error{ErrorCode::kDataRefused, "the vocabulary's merges collide too often",
                   "the file looks made to slow its reader down"};
  }
  return encoder;
}

BpeEncoder::BpeEncoder(const Vocab& vocab, PreTokenizer pre, bool ignore_merges)
    : vocab_(&vocab),
      pre_(std::move(pre)),
      pairs_(vocab.merges.size()),
      ignore_merges_(ignore_merges) {
  for (size_t byte = 0; byte < 256; ++byte) {
    std::string spelling;
    utf8::append(spelling, kByteMap.code_point[byte]);
    byte_symbols_[byte] = vocab.pieces.find(spelling);
  }
}

// Whether plain text may become this symbol: a token, and not one that only trusted text spells.
bool BpeEncoder::is_text(uint32_t symbol) const {
  const auto id = static_cast<int32_t>(symbol);
  return symbol != PieceTable::kNone && vocab_->has(id) && !vocab_->is_control(id);
}

Result<void> BpeEncoder::encode(std::string_view text, Scratch& scratch,
                                std::vector<int32_t>& out) const {
  size_t begin = 0, at = 0;  // text[begin, at) is valid so far
  while (at < text.size()) {
    const utf8::Step step = utf8::decode(text.substr(at));
    if (step.valid) {
      at += static_cast<size_t>(step.length);
      continue;
    }
    if (auto done = encode_valid(text.substr(begin, at - begin), scratch, out); !done) return done;
    begin = at++;
    while (at < text.size() && !utf8::decode(text.substr(at)).valid) ++at;
    encode_piece(text.substr(begin, at - begin), scratch, out);
    begin = at;
  }
  return encode_valid(text.substr(begin), scratch, out);
}

Result<void> BpeEncoder::encode_valid(std::string_view text, Scratch& scratch,
                                      std::vector<int32_t>& out) const {
  const auto ends = pre_.split(text, scratch.pre);
  if (!ends) return ends.error();
  uint32_t begin = 0;
  for (const uint32_t end : *ends) {
    encode_piece(text.substr(begin, end - begin), scratch, out);
    begin = end;
  }
  return {};
}

void BpeEncoder::encode_piece(std::string_view piece, Scratch& scratch,
                              std::vector<int32_t>& out) const {
  if (ignore_merges_) {
    scratch.mapped.clear();
    append_mapped(scratch.mapped, piece);
    const uint32_t whole = vocab_->pieces.find(scratch.mapped);
    if (is_text(whole)) return out.push_back(static_cast<int32_t>(whole));
  }
  Merger& merger = scratch.merger;
  merger.clear();
  for (uint32_t i = 0; i < piece.size(); ++i)
    merger.add(i, byte_symbols_[static_cast<unsigned char>(piece[i])]);
  const auto end = static_cast<uint32_t>(piece.size());
  merger.run(end, [this](const Symbol& left, const Symbol& right, uint32_t) {
    return pairs_.find(left.id, right.id);
  });
  const auto symbols = merger.symbols();
  for (size_t i = 0; i < symbols.size(); ++i) {
    const uint32_t stop = i + 1 < symbols.size() ? symbols[i + 1].begin : end;
    emit(piece.substr(symbols[i].begin, stop - symbols[i].begin), symbols[i].id, out);
  }
}

void BpeEncoder::emit(std::string_view symbol, uint32_t id, std::vector<int32_t>& out) const {
  if (is_text(id)) return out.push_back(static_cast<int32_t>(id));
  for (const char c : symbol) {
    const uint32_t byte = byte_symbols_[static_cast<unsigned char>(c)];
    if (is_text(byte)) out.push_back(static_cast<int32_t>(byte));
  }
}

}  // namespace aictl
