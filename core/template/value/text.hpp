// Text: bytes that know which of them a user wrote. Every string operation of the engine goes
// through these, so the origin of a byte survives concatenation, slicing and case changes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace aictl::jinja {

/// Bytes up to `end` (from the previous run's) share `trusted`.
struct Run {
  size_t end;
  bool trusted;
};

/// A string value. `bytes` belong to the program, the variables or the runtime's heap, all of which
/// outlive a render. No `runs`: all bytes are `trusted` or all are not.
struct Text {
  explicit Text(std::string_view whole = {}, bool is_trusted = true)
      : bytes(whole), trusted(is_trusted) {}

  std::string_view bytes;
  bool trusted;
  bool markup = false;  // made by `safe` or `escape`: `+` escapes what is added to it
  std::vector<Run> runs;
  std::string* tail = nullptr;  // of the heap: the buffer whose end `bytes` reached when made

  /// Whether a user wrote any of it.
  bool has_untrusted() const { return !runs.empty() || (!trusted && !bytes.empty()); }
  /// The part [begin, end), with its origins.
  Text slice(size_t begin, size_t end) const;
};

/// Collects bytes with their origins.
class TextBuilder {
 public:
  void append(std::string_view bytes, bool trusted);
  void append(const Text& text) { append(text, 0, text.bytes.size()); }
  /// Appends the part [begin, end) of `text`.
  void append(const Text& text, size_t begin, size_t end);

  size_t size() const { return bytes_.size(); }
  const std::string& bytes() const { return bytes_; }
  const std::vector<Run>& runs() const { return runs_; }
  std::string& bytes() { return bytes_; }
  /// The runs so far, neighbours differing; empty when nothing was appended.
  std::vector<Run>& runs() { return runs_; }

 private:
  std::string bytes_;
  std::vector<Run> runs_;
};

/// The origin of bytes of one text, asked for at rising offsets in constant time each.
class OriginCursor {
 public:
  explicit OriginCursor(const Text& text) : text_(text) {}
  bool trusted_at(size_t offset);

 private:
  const Text& text_;
  size_t run_ = 0;
};

}  // namespace aictl::jinja
