#include "plugins/services/inference/text/encode/pre_tokenizer.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <fmt/format.h>
#include <pcre2.h>

#include <string>

#include "core/base/utf8.hpp"

namespace aictl {
namespace {

struct Free {
  void operator()(pcre2_code* p) const { pcre2_code_free(p); }
  void operator()(pcre2_match_data* p) const { pcre2_match_data_free(p); }
  void operator()(pcre2_match_context* p) const { pcre2_match_context_free(p); }
  void operator()(pcre2_jit_stack* p) const { pcre2_jit_stack_free(p); }
};

constexpr size_t kJitStackStart = size_t{32} << 10, kJitStackLimit = size_t{8} << 20;

// PCRE2's \s has U+180E, which is no White_Space any more: the expressions spell the class out.
constexpr std::string_view kWhiteSpace =
    R"(\x{9}-\x{D}\x{20}\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000})";

std::string spell_white_space(std::string_view pattern) {
  std::string out;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c != '\\') {
      if (c == '[') in_class = true;
      if (c == ']') in_class = false;
      out.push_back(c);
      continue;
    }
    const char escaped = pattern[++i];
    if (escaped == 's' && in_class)
      out += kWhiteSpace;
    else if (escaped == 's' || escaped == 'S')
      out += fmt::format("[{}{}]", escaped == 'S' ? "^" : "", kWhiteSpace);
    else
      out += {c, escaped};
  }
  return out;
}

std::string pcre_message(int code) {
  unsigned char buffer[256];
  pcre2_get_error_message(code, buffer, sizeof buffer);
  return reinterpret_cast<const char*>(buffer);
}

}  // namespace

struct PreTokenizer::Scratch::Regex {
  std::unique_ptr<pcre2_match_data, Free> data{pcre2_match_data_create(1, nullptr)};
  std::unique_ptr<pcre2_match_context, Free> context{pcre2_match_context_create(nullptr)};
  std::unique_ptr<pcre2_jit_stack, Free> stack{
      pcre2_jit_stack_create(kJitStackStart, kJitStackLimit, nullptr)};
  Regex() {
    pcre2_jit_stack_assign(context.get(), nullptr, stack.get());
    // The expressions go back once over a run at most, but the run may be the whole text.
    pcre2_set_match_limit(context.get(), UINT32_MAX);
  }
};

PreTokenizer::Scratch::Scratch() : regex_(std::make_unique<Regex>()) {}
PreTokenizer::Scratch::~Scratch() = default;

struct PreTokenizer::Pass {
  std::unique_ptr<pcre2_code, Free> code;
  bool jit = false;
  PassKind kind = PassKind::kIsolate;

  Result<bool> find(std::string_view piece, size_t from, Scratch::Regex& regex) const;
  Result<void> split(std::string_view text, std::span<const uint32_t> ends,
                     std::vector<uint32_t>& out, Scratch::Regex& regex) const;
  void cut(std::string_view text, uint32_t begin, uint32_t end, std::vector<uint32_t>& out) const;
};

PreTokenizer::PreTokenizer() = default;
PreTokenizer::PreTokenizer(PreTokenizer&&) noexcept = default;
PreTokenizer::~PreTokenizer() = default;

Result<PreTokenizer> PreTokenizer::make(const PreRow& row) {
  PreTokenizer made;
  for (const PrePass& pass : row.passes) {
    const std::string pattern = spell_white_space(pass.pattern);
    int code = 0;
    size_t at = 0;
    Pass& compiled = made.passes_.emplace_back();
    compiled.kind = pass.kind;
    compiled.code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                      PCRE2_UTF | PCRE2_UCP, &code, &at, nullptr));
    if (!compiled.code)
      return Error{ErrorCode::kInternal,
                   fmt::format("pre-tokenizer '{}': {} at {} of {}", row.pre, pcre_message(code),
                               at, pattern),
                   ""};
    compiled.jit = pcre2_jit_compile(compiled.code.get(), PCRE2_JIT_COMPLETE) == 0;
  }
  return made;
}

// The interpreter keeps its state on the heap, under a limit of its own: what the compiled code's
// stack was too small for may still go there.
Result<bool> PreTokenizer::Pass::find(std::string_view piece, size_t from,
                                      Scratch::Regex& regex) const {
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(piece.data());
  int found = PCRE2_ERROR_JIT_STACKLIMIT;
  if (jit)
    found = pcre2_jit_match(code.get(), subject, piece.size(), from, 0, regex.data.get(),
                            regex.context.get());
  if (found == PCRE2_ERROR_JIT_STACKLIMIT)
    found = pcre2_match(code.get(), subject, piece.size(), from, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT,
                        regex.data.get(), regex.context.get());
  if (found == PCRE2_ERROR_NOMATCH) return false;
  if (found < 0)
    return Error{ErrorCode::kUnsupported,
                 fmt::format("cutting {} bytes of text: {}", piece.size(), pcre_message(found)),
                 "break the text into lines"};
  return true;
}

Result<void> PreTokenizer::Pass::split(std::string_view text, std::span<const uint32_t> ends,
                                       std::vector<uint32_t>& out, Scratch::Regex& regex) const {
  out.clear();
  const auto close = [&](uint32_t end) {
    if (end > (out.empty() ? 0 : out.back())) out.push_back(end);
  };
  const size_t* match = pcre2_get_ovector_pointer(regex.data.get());
  uint32_t begin = 0;
  for (const uint32_t end : ends) {
    const std::string_view piece = text.substr(begin, end - begin);
    for (size_t from = 0; from < piece.size();) {
      const auto found = find(piece, from, regex);
      if (!found) return found.error();
      if (!*found) break;
      const uint32_t match_begin = begin + static_cast<uint32_t>(match[0]);
      const uint32_t match_end = begin + static_cast<uint32_t>(match[1]);
      if (match_end == begin + from) break;  // an empty match; no expression has one
      if (kind != PassKind::kCutDigits) close(match_begin);
      if (kind != PassKind::kIsolate) cut(text, match_begin, match_end, out);
      if (kind != PassKind::kCutDigits) close(match_end);
      from = match[1];
    }
    close(end);
    begin = end;
  }
  return {};
}

// Cuts a run of digits into threes from its right end, the cut before the first three included.
void PreTokenizer::Pass::cut(std::string_view text, uint32_t begin, uint32_t end,
                             std::vector<uint32_t>& out) const {
  const std::string_view run = text.substr(begin, end - begin);
  size_t left = utf8::count(run);
  for (uint32_t at = begin; at < end; --left) {
    if (left % 3 == 0 && at > (out.empty() ? 0 : out.back())) out.push_back(at);
    at += static_cast<uint32_t>(utf8::decode(text.substr(at)).length);
  }
}

Result<std::span<const uint32_t>> PreTokenizer::split(std::string_view text,
                                                      Scratch& scratch) const {
  scratch.ends_.assign(1, static_cast<uint32_t>(text.size()));
  if (text.empty()) scratch.ends_.clear();
  for (const Pass& pass : passes_) {
    auto done = pass.split(text, scratch.ends_, scratch.next_, *scratch.regex_);
    if (!done) return std::move(done).error();
    scratch.ends_.swap(scratch.next_);
  }
  return std::span<const uint32_t>(scratch.ends_);
}

}  // namespace aictl
