// The rules that custom resource definitions carry in x-kubernetes-validations, evaluated as an API
// server does: the Common Expression Language over one value of a document. Source: the CEL
// language definition (github.com/google/cel-spec, doc/langdef.md) and the library Kubernetes adds.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/value/json.hpp"

namespace aictl::cel {

struct Node;

/// What an evaluation may use up; past it the rule counts as not evaluated.
struct Limits {
  int steps = 1'000'000;  // nodes visited
};

/// A parsed rule. Immutable: evaluate it from any number of threads. Copies share the syntax tree.
class Rule {
 public:
  /// Errors: kDataRefused "column N: ..." for what is not CEL or nests too deep; kUnsupported for a
  /// function that is not known here.
  static Result<Rule> parse(std::string_view expression);

  /// Whether `identifier` is used as a variable. A rule that mentions `oldSelf` is about updates
  /// and holds for a new object.
  bool mentions(std::string_view identifier) const;

  /// Whether it holds for `self`, the value at the place of the schema that carries it, with
  /// defaults filled in. Errors: kDataRefused saying why it cannot be evaluated (a missing key, a
  /// type that does not fit), which an API server refuses as well; kTooLarge past `limits`.
  Result<bool> holds(const Json& self, const Limits& limits = {}) const;

 private:
  explicit Rule(std::shared_ptr<const Node> root) : root_(std::move(root)) {}
  std::shared_ptr<const Node> root_;  // shared by the copies of this rule
};

}  // namespace aictl::cel
