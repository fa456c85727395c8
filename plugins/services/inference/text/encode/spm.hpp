// SentencePiece's BPE with scores: characters merge to the piece of highest score; what is in no
// piece falls back to byte tokens.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/services/inference/text/encode/merge.hpp"
#include "plugins/services/inference/text/vocab.hpp"

namespace aictl {

class SpmEncoder {
 public:
  /// What one call needs; reusable.
  struct Scratch {
    Merger merger;
    std::string escaped;
  };

  /// `vocab` must outlive the encoder and not move.
  explicit SpmEncoder(const Vocab& vocab);

  /// Appends the tokens of `text`, any bytes. Spaces become U+2581; `space_prefix` puts one first.
  void encode(std::string_view text, bool space_prefix, Scratch& scratch,
              std::vector<int32_t>& out) const;

 private:
  bool mergeable(uint32_t piece) const;
  void encode_segment(std::string_view segment, Merger& merger, std::vector<int32_t>& out) const;
  void emit(std::string_view symbol, std::vector<int32_t>& out) const;

  const Vocab& vocab_;
  std::array<int32_t, 256> byte_tokens_{};
  std::array<bool, 256> before_space_{};  // bytes that precede U+2581 inside some piece
};

/// The byte that a token spelled "<0xHH>" stands for, or -1.
int byte_of_piece(std::string_view piece);

}  // namespace aictl
