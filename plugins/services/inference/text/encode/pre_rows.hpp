// The pre-tokenizers by name: which regular expressions cut a text before byte-level BPE, and what
// else the name implies.
#pragma once

#include <span>
#include <string_view>

namespace aictl {

/// What a pass does with a match.
enum class PassKind {
  kIsolate,      // the match is a piece, and so is each gap
  kGroupDigits,  // the match is a run of digits: groups of three from the right, each a piece
  kCutDigits,    // as above, but digits left of the first whole group stay with what precedes
};

/// One regular expression, PCRE2 syntax with Unicode classes; \s is Unicode's White_Space. It never
/// matches the empty text, and takes linear time on any text.
struct PrePass {
  const char* pattern;
  PassKind kind = PassKind::kIsolate;
};

/// A value of `tokenizer.ggml.pre`. The passes run one after another, each on the pieces left by
/// the one before.
struct PreRow {
  std::string_view pre;
  std::span<const PrePass> passes;
  bool ignore_merges = false;  // a piece that is a token as a whole is not taken apart
  bool add_bos = false, add_separator = false;
};

/// The row of `pre`, or null.
const PreRow* find_pre_row(std::string_view pre);

/// Every name there is, for error messages and tests.
std::span<const PreRow> pre_rows();

}  // namespace aictl
