// Jinja templates: chat templates of models and, later, manifests. A template is parsed once and
// rendered many times, sandboxed and bounded; the text it gives says of each byte whether it came
// from a user, so that a tokenizer never takes a special token out of what somebody typed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/result.hpp"
#include "core/value/json.hpp"

namespace aictl::jinja {

/// What a missing variable or key does when it is used.
enum class UndefinedPolicy {
  kLenient,    // prints nothing, is false, is empty; its attributes are an error
  kChainable,  // as lenient, and an attribute of it is undefined again
  kStrict,     // any use but `is defined` and `default` is an error
};

/// The switches of the environment. The defaults are those chat templates are written for.
struct Options {
  bool trim_blocks = true;    // the first newline after a block tag is dropped
  bool lstrip_blocks = true;  // blanks before a block tag that starts its line are dropped
  bool keep_trailing_newline = false;
  UndefinedPolicy undefined = UndefinedPolicy::kLenient;
  size_t max_source_bytes = size_t{1} << 20;
};

/// Bytes [begin, end) of a text. `trusted`: the template's own, or a trusted variable's.
struct Span {
  size_t begin;
  size_t end;
  bool trusted;
  bool operator==(const Span&) const = default;
};

/// What a render is given beside its variables, and what it may use up.
struct RenderOptions {
  uint64_t max_steps = 10'000'000;             // nodes evaluated, and bytes handled by the 32
  size_t max_output_bytes = size_t{64} << 20;  // of the text, and of any string on the way
  int max_depth = 600;                         // nodes and macro calls inside each other
  int64_t now = 0;                             // Unix seconds, for strftime_now, read as UTC
  /// Top-level variables whose strings and numbers a user wrote. All others are trusted.
  std::vector<std::string> untrusted = {"messages", "tools", "documents"};
  /// A message's `role` that is one of these words is trusted: templates build markers from it.
  std::vector<std::string> trusted_roles = {"system", "developer", "user",    "assistant",
                                            "tool",   "function",  "ipython", "model"};
  /// The origins of single strings, numbers and booleans within the variables, by their address,
  /// whatever `untrusted` says; spans cover a value's text as those of Rendered do. So one can ask
  /// what of a text came from which variable.
  const std::unordered_map<const Json*, std::vector<Span>>* marked = nullptr;
};

/// A rendered text. The spans cover it without gaps, in order, neighbours differing in `trusted`.
struct Rendered {
  std::string text;
  std::vector<Span> spans;
};

struct Program;

/// A parsed template. Immutable: render it from any number of threads. Copies share the program.
class Template {
 public:
  /// Errors: kDataRefused "line N: ..." on bad syntax or nesting too deep, kUnsupported "line N:
  /// ..." for include, import, extends, block and recursive loops, kTooLarge above
  /// `max_source_bytes`.
  static Result<Template> parse(std::string_view source, const Options& options = {});

  /// Renders with `variables` (an object) as the top-level names. Errors: kInvalidArgument with
  /// exactly the message when the template calls raise_exception (the hint has the line);
  /// kDataRefused "line N: ..." when an expression cannot be evaluated, kTooLarge "line N: ..."
  /// when a limit is reached.
  Result<Rendered> render(const Json& variables, const RenderOptions& options = {}) const;

 private:
  explicit Template(std::shared_ptr<const Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const Program> program_;  // shared by the copies of this template
};

}  // namespace aictl::jinja
