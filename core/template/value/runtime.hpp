// Runtime: what a render owns while it runs. The heap of its values, its budget, its first error.
// After a failure every operation returns at once, so callers check `failed()` where they loop.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "core/template/template.hpp"
#include "core/template/value/value.hpp"

namespace aictl::jinja {

class Runtime {
 public:
  Runtime(const Options& options, const RenderOptions& limits) : options(options), limits(limits) {}

  const Options& options;
  const RenderOptions& limits;
  int line = 1;  // of the template, for errors

  /// Spends `count` steps; false once the budget is gone or something failed.
  bool spend(uint64_t count = 1);
  /// Spends for handling `bytes` bytes; false when that is too much, also for a single string.
  bool spend_bytes(size_t bytes);

  bool failed() const { return failed_; }
  const Error& error() const { return error_; }
  /// Records the first error, at the present line; returns undefined for the caller to return.
  Value fail(std::string message);
  Value fail_too_large(std::string message);
  /// The error of raise_exception: exactly `message`.
  Value raise(std::string message);
  /// The error that using an undefined value is; false unless the policy lets it pass in silence.
  bool allow_undefined(const Value& value);
  Value fail_undefined(const Value& value);

  Value undefined(std::string message);
  /// "'dict object' has no attribute 'x'".
  Value missing_attribute(const Value& owner, std::string_view name);

  Value text(Text text);
  Value text(std::string bytes, bool trusted);
  Value text(TextBuilder&& builder);
  /// `left` with `right` after it. A text that is added to again and again grows in place.
  Value concatenate(const Text& left, const TextBuilder& right);
  /// Text of static storage or of the program: not copied.
  Value literal(std::string_view bytes);
  Value slice(const Text& text, size_t begin, size_t end);
  Value list(std::vector<Value> items, bool untrusted = false);
  Value sequence(Kind kind, std::vector<Value> items, bool untrusted = false);
  Dict* dict();
  Value method(const Builtin* builtin, const Value& self);

  /// `tree` as a value. Strings are views of `tree`, which has to outlive the render.
  Value from_json(const Json& tree, bool untrusted, int depth = 0);
  /// Keeps a tree alive until the render ends.
  const Json& keep(Json tree);

 private:
  Value marked_scalar(const Json& tree, const std::vector<Span>& spans);
  Value record(ErrorCode code, std::string message);

  uint64_t steps_ = 0;
  bool failed_ = false;
  Error error_;
  std::deque<Text> texts_;
  std::deque<std::string> bytes_;
  std::deque<Sequence> sequences_;
  std::deque<Dict> dicts_;
  std::deque<Missing> missing_;
  std::deque<Method> methods_;
  std::deque<Json> trees_;
};

/// Nesting of data that printing, comparing and converting follow.
inline constexpr int kMaxDataDepth = 200;

}  // namespace aictl::jinja
