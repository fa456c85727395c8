// Text to tokens: special tokens are cut out where the text may be trusted with them, what lies
// between goes to the vocabulary's own algorithm.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "plugins/services/inference/text/vocab.hpp"

namespace aictl {

/// A stretch of a prompt and where it comes from: the template (trusted) or somebody's words.
struct TextSpan {
  std::string_view text;
  bool trusted = false;
};

struct EncodeOptions {
  bool add_special = true;     // beginning and end of text, as the vocabulary asks for
  bool parse_special = false;  // the text is trusted: control tokens spelled in it count
};

/// Thread-safe: encoding keeps its scratch space to itself.
class Tokenizer {
 public:
  /// Longest text one call takes.
  static constexpr size_t kMaxTextBytes = size_t{256} << 20;

  /// Errors: those of Vocab::build.
  static Result<Tokenizer> make(const VocabSource& source);

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  /// The tokens of `text`, which may be any bytes. A beginning-of-text token that the text already
  /// spells is not doubled. Takes O(n log n) time. Errors: kTooLarge above kMaxTextBytes.
  Result<std::vector<int32_t>> encode(std::string_view text, EncodeOptions options = {}) const;

  /// The tokens of the spans as one text, except that a control token counts only where all of it
  /// lies in trusted text (of one span or of neighbours). User-defined tokens count everywhere.
  Result<std::vector<int32_t>> encode_spans(std::span<const TextSpan> spans,
                                            bool add_special) const;

  const Vocab& vocab() const;

  /// The bytes a token stands for, possibly a part of a UTF-8 sequence; a control token's are its
  /// spelling. Empty for an id without a token. The view lives as long as the tokenizer.
  std::string_view piece(int32_t id) const;

  bool is_control(int32_t id) const { return vocab().is_control(id); }
  bool is_end(int32_t id) const { return vocab().is_end(id); }

 private:
  struct State;
  struct Trust;

  explicit Tokenizer(std::unique_ptr<State> state);
  Result<std::vector<int32_t>> encode(std::string_view text, const Trust& trust,
                                      bool add_special) const;

  std::unique_ptr<const State> state_;
};

}  // namespace aictl
