#include "plugins/services/inference/text/detokenizer.hpp"

#include <algorithm>

#include "core/base/utf8.hpp"

namespace aictl {
namespace {

void append_sanitized(std::string_view bytes, std::string& out) {
  while (!bytes.empty()) {
    const utf8::Step step = utf8::decode(bytes);
    utf8::append(out, step.code_point);
    bytes.remove_prefix(static_cast<size_t>(step.length));
  }
}

}  // namespace

Detokenizer::Detokenizer(const Tokenizer& tokenizer, DetokenizeOptions options)
    : tokenizer_(&tokenizer),
      options_(options),
      strip_space_(options.at_text_start && tokenizer.vocab().add_space_prefix) {}

void Detokenizer::push(int32_t id, std::string& out) {
  const bool control = tokenizer_->is_control(id);
  if (control && !options_.show_control) return;
  std::string_view bytes = tokenizer_->piece(id);
  if (bytes.empty()) return;
  if (strip_space_ && !control && bytes.front() == ' ') bytes.remove_prefix(1);
  strip_space_ = false;
  push_bytes(bytes, out);
}

void Detokenizer::push_bytes(std::string_view bytes, std::string& out) {
  while (pending_size_ != 0 && !bytes.empty()) {
    pending_[pending_size_++] = bytes.front();
    bytes.remove_prefix(1);
    const std::string_view held(pending_.data(), pending_size_);
    const size_t complete = utf8::complete_prefix(held);
    append_sanitized(held.substr(0, complete), out);
    std::copy(pending_.begin() + complete, pending_.begin() + pending_size_, pending_.begin());
    pending_size_ -= complete;
  }
  const size_t complete = utf8::complete_prefix(bytes);
  append_sanitized(bytes.substr(0, complete), out);
  for (const char c : bytes.substr(complete)) pending_[pending_size_++] = c;
}

void Detokenizer::flush(std::string& out) {
  append_sanitized({pending_.data(), pending_size_}, out);
  pending_size_ = 0;
}

std::string detokenize(const Tokenizer& tokenizer, std::span<const int32_t> ids,
                       DetokenizeOptions options) {
  std::string out;
  Detokenizer stream(tokenizer, options);
  for (const int32_t id : ids) stream.push(id, out);
  stream.flush(out);
  return out;
}

TokenText token_text(const Tokenizer& tokenizer, int32_t id) {
  const std::string_view bytes = tokenizer.piece(id);
  return {utf8::sanitize(bytes), std::string(bytes)};
}

}  // namespace aictl
