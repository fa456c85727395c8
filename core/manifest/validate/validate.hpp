// The whole check of a set of manifests, in the order an API server and then a reviewer would do
// it.
#pragma once

#include <string>
#include <vector>

#include "core/manifest/document.hpp"
#include "core/manifest/rule.hpp"

namespace aictl::manifest {

struct ValidateOptions {
  bool references = false;                 // check the documents against each other
  bool lint = false;                       // and against the checklist for production
  std::vector<std::string> external = {};  // KIND/NAME, globs: objects that exist outside
  std::vector<std::string> skip = {};      // APIVERSION/KIND, globs: documents to leave out
};

/// What was found, and in how much.
struct Outcome {
  std::vector<Problem> problems;  // by file in the order given, then by line
  size_t files = 0, documents = 0, skipped = 0;

  size_t errors() const;
  size_t warnings() const { return problems.size() - errors(); }
};

/// Collects the documents of many files, then checks them together.
class Validator {
 public:
  explicit Validator(ValidateOptions options) : options_(std::move(options)) {}

  /// Reads a file's text; what cannot be read is a problem.
  void add(std::string_view text, const std::string& file);
  /// Takes in what another reader found in a file of one document that is not Kubernetes'.
  void add_foreign(const std::string& file, std::vector<Problem> found);
  /// Checks all that was added. Call it once.
  Outcome finish() &&;

 private:
  bool is_skipped(const Document& document) const;

  ValidateOptions options_;
  Outcome outcome_;
  Report report_;
  std::vector<std::string> files_;
  std::vector<Document> documents_;
};

/// Every rule there is, by id: for `aictl validate rules` and SARIF.
std::vector<Rule> all_rules();

/// "file:3:7: Service/a: spec.type: error: message; hint [rule]", a line.
std::string text_line(const Problem& problem);
/// {"problems": [...], "counts": {...}}.
Json outcome_json(const Outcome& outcome);
/// SARIF 2.1.0, for code review tools. `version` is this program's.
Json outcome_sarif(const Outcome& outcome, std::string_view version);

}  // namespace aictl::manifest
