// Cuts a text into the pieces that byte-level BPE merges within, by the regular expressions of a
// PreRow, compiled to machine code by PCRE2.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "plugins/services/inference/text/encode/pre_rows.hpp"

namespace aictl {

class PreTokenizer {
 public:
  /// What one call needs; reusable, by one thread at a time.
  class Scratch {
   public:
    Scratch();
    ~Scratch();

   private:
    friend class PreTokenizer;
    struct Regex;
    std::unique_ptr<Regex> regex_;
    std::vector<uint32_t> ends_, next_;
  };

  static Result<PreTokenizer> make(const PreRow& row);

  PreTokenizer(PreTokenizer&&) noexcept;
  ~PreTokenizer();

  /// Where each piece of `text` ends, rising; the last is text.size(). `text` must be valid UTF-8
  /// below 4 GiB. The answer lives in `scratch`. Errors: kUnsupported when the expressions' engine
  /// gives up.
  Result<std::span<const uint32_t>> split(std::string_view text, Scratch& scratch) const;

 private:
  struct Pass;

  PreTokenizer();
  std::vector<Pass> passes_;
};

}  // namespace aictl
