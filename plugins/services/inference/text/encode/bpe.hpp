// Byte-level BPE: the pre-tokenizer cuts, bytes become printable characters, listed pairs merge in
// the order of the list.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/services/inference/text/encode/merge.hpp"
#include "plugins/services/inference/text/encode/pair_table.hpp"
#include "plugins/services/inference/text/encode/pre_tokenizer.hpp"
#include "plugins/services/inference/text/vocab.hpp"

namespace aictl {

class BpeEncoder {
 public:
  /// What one call needs; reusable.
  struct Scratch {
    Merger merger;
    PreTokenizer::Scratch pre;
    std::string mapped;
  };

  /// `vocab` must outlive the encoder and not move. Errors: kDataRefused for merges made to
  /// collide.
  static Result<BpeEncoder> make(const Vocab& vocab, const PreRow& row);

  /// Appends the tokens of `text`, any bytes: those that are no UTF-8 are pieces of their own.
  /// Errors: those of PreTokenizer::split.
  Result<void> encode(std::string_view text, Scratch& scratch, std::vector<int32_t>& out) const;

 private:
  BpeEncoder(const Vocab& vocab, PreTokenizer pre, bool ignore_merges);

  Result<void> encode_valid(std::string_view text, Scratch& scratch,
                            std::vector<int32_t>& out) const;
  void encode_piece(std::string_view piece, Scratch& scratch, std::vector<int32_t>& out) const;
  void emit(std::string_view symbol, uint32_t id, std::vector<int32_t>& out) const;
  bool is_text(uint32_t symbol) const;

  const Vocab* vocab_;
  PreTokenizer pre_;
  PairTable pairs_;
  bool ignore_merges_;
  std::array<uint32_t, 256> byte_symbols_{};  // PieceTable::kNone where nothing spells the byte
};

}  // namespace aictl
