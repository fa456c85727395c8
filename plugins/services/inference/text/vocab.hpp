// The vocabulary of a model as plain data, and the checked way to it from a file's raw arrays.
// Sources of the rules: the GGUF tokenizer keys, SentencePiece's and llama.cpp's behaviour.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "plugins/services/inference/text/piece_table.hpp"

namespace aictl {

/// What a loader found, nothing checked yet. Views must live until Vocab::build returns, no longer.
/// The comment names the GGUF key, without `tokenizer.ggml.`; absent keys stay empty.
struct VocabSource {
  std::string model;               // model: "llama" (SPM) or "gpt2" (byte-level BPE)
  std::optional<std::string> pre;  // pre
  std::vector<std::string_view> tokens;
  std::vector<float> scores;             // as long as tokens, or empty
  std::vector<int32_t> token_types;      // token_type; as long as tokens, or empty
  std::vector<std::string_view> merges;  // "left right", best first

  std::optional<uint64_t> bos_id, eos_id, eot_id, eom_id;  // X_token_id
  std::optional<uint64_t> unknown_id, separator_id, padding_id;
  std::optional<uint64_t> fim_prefix_id, fim_suffix_id, fim_middle_id;  // fim_pre_token_id, ...
  std::optional<uint64_t> fim_pad_id, fim_repo_id, fim_separator_id;
  std::vector<uint64_t> end_ids;  // more ends of generation: eos lists of generation_config.json

  std::optional<bool> add_bos, add_eos, add_separator;  // add_X_token
  std::optional<bool> add_space_prefix;
  /// Special tokens swallow the white space after them: for architecture phi3, or a general.name
  /// with "phi-3" or "phi3" in it. The file format has no key for it.
  bool special_strips_right = false;
};

enum class VocabKind : uint8_t { kSpm, kBpe };

/// As files number them; kUndefined counts as normal.
enum class TokenType : uint8_t {
  kUndefined,
  kNormal,
  kUnknown,
  kControl,
  kUserDefined,
  kUnused,
  kByte
};

/// A merge of two symbols into one. Symbols below Vocab::size() are tokens, others are only steps
/// on the way; all of them index Vocab::pieces.
struct Merge {
  uint32_t left, right, result;
};

struct Vocab {
  /// No such token.
  static constexpr int32_t kNoToken = -1;

  VocabKind kind = VocabKind::kSpm;
  std::string pre;    // the row of the pre-tokenizer table's name; "default" when missing
  PieceTable pieces;  // tokens as the file spells them, then symbols of merges
  std::vector<TokenType> types;  // [size]
  std::vector<float> scores;     // [size]; empty for BPE
  std::vector<Merge> merges;     // rank = index
  int32_t bos = kNoToken, eos = kNoToken, eot = kNoToken, eom = kNoToken;
  int32_t unknown = kNoToken, separator = kNoToken, padding = kNoToken;
  int32_t fim_prefix = kNoToken, fim_suffix = kNoToken, fim_middle = kNoToken;
  int32_t fim_pad = kNoToken, fim_repo = kNoToken, fim_separator = kNoToken;
  std::vector<int32_t> end_ids;  // tokens that end a generation, ascending
  bool add_bos = false, add_eos = false, add_separator = false, add_space_prefix = false;
  bool special_strips_right = false;
  std::vector<std::string> warnings;  // what was odd and tolerated; for the log

  /// Checks and indexes. Errors: kDataRefused for arrays of different lengths, ids out of range,
  /// scores that are no numbers, malformed merges, an empty token list; kUnsupported for another
  /// `model` or an unknown `pre`, named. Empty and duplicate tokens are tolerated with a warning.
  static Result<Vocab> build(const VocabSource& source);

  /// Number of tokens; ids are 0..size()-1. The model's output may be wider.
  int32_t size() const { return static_cast<int32_t>(types.size()); }
  bool has(int32_t id) const { return id >= 0 && id < size(); }

  /// The token spelled exactly so, or kNoToken.
  int32_t find(std::string_view text) const;

  /// The token as the file spells it; `id` must be in range.
  std::string_view text(int32_t id) const { return pieces[static_cast<uint32_t>(id)]; }
  TokenType type(int32_t id) const { return types[static_cast<size_t>(id)]; }

  /// Control and unknown tokens: parsed from trusted text only, printed only when asked for.
  bool is_control(int32_t id) const {
    return has(id) && (type(id) == TokenType::kControl || type(id) == TokenType::kUnknown);
  }
  bool is_end(int32_t id) const;
};

}  // namespace aictl
