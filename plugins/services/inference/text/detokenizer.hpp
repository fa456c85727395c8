// Tokens to text, one at a time: valid UTF-8 comes out, bytes of an unfinished sequence wait.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "plugins/services/inference/text/tokenizer.hpp"

namespace aictl {

struct DetokenizeOptions {
  bool show_control = false;  // print control tokens as they are spelled
  /// The tokens begin a text, they do not continue one: the space that an SPM vocabulary puts
  /// before the first word is taken off.
  bool at_text_start = false;
};

/// The state of one stream. The tokenizer must outlive it. Allocates nothing itself.
class Detokenizer {
 public:
  explicit Detokenizer(const Tokenizer& tokenizer, DetokenizeOptions options = {});

  /// Appends what `id` completes: valid UTF-8, bytes that can no longer become valid as U+FFFD. An
  /// id without a token adds nothing.
  void push(int32_t id, std::string& out);

  /// Ends the text: each byte of an unfinished sequence becomes U+FFFD, as in utf8::sanitize.
  void flush(std::string& out);

  /// Bytes held back, 0..3.
  size_t pending() const { return pending_size_; }

 private:
  void push_bytes(std::string_view bytes, std::string& out);

  const Tokenizer* tokenizer_;
  DetokenizeOptions options_;
  bool strip_space_;
  std::array<char, 4> pending_{};
  size_t pending_size_ = 0;
};

/// The text of a whole sequence.
std::string detokenize(const Tokenizer& tokenizer, std::span<const int32_t> ids,
                       DetokenizeOptions options = {});

/// A token by itself, as lists of log-probabilities show it.
struct TokenText {
  std::string text;   // valid UTF-8
  std::string bytes;  // what it really is
};

/// Control tokens are spelled out; an id without a token is empty.
TokenText token_text(const Tokenizer& tokenizer, int32_t id);

}  // namespace aictl
