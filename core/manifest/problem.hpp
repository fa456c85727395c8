// What is wrong with a document: one finding, in the words an API server would use, with its place.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace aictl::manifest {

struct Document;

enum class Severity { kError, kWarning };

/// "error" or "warning".
std::string_view word(Severity severity);

/// One finding. Its fields are the columns of every output of `aictl validate`.
struct Problem {
  std::string file;          // as the user named it; "-" is stdin
  int line = 0, column = 0;  // from 1; 0 where the document has no text
  std::string object;        // "Deployment/qwen"; "-" where the text could not be read
  std::string path;          // "spec.ports[0].name"; "." is the whole document
  Severity severity = Severity::kError;
  std::string rule;     // stable: "schema/unknown-field", "lint/image-digest"
  std::string message;  // lower case, no full stop, carries the value
  std::string hint;     // the next step; may be empty
};

/// Collects problems. A check adds them in the order it meets them; `sorted` puts them as printed.
class Report {
 public:
  /// Adds an error about the field `path` of `document`: place and label come from the document.
  void error(const Document& document, std::string_view path, std::string_view rule,
             std::string message, std::string hint = "");
  /// Adds a warning.
  void warning(const Document& document, std::string_view path, std::string_view rule,
               std::string message, std::string hint = "");
  void add(Problem problem) { problems_.push_back(std::move(problem)); }

  const std::vector<Problem>& problems() const { return problems_; }
  size_t count(Severity severity) const;
  /// Orders the findings as they are printed: by file in the order of `files`, then by place; what
  /// was said twice of a field is kept once.
  void sort(const std::vector<std::string>& files);

 private:
  void add(const Document& document, std::string_view path, Severity severity,
           std::string_view rule, std::string message, std::string hint);
  std::vector<Problem> problems_;
};

}  // namespace aictl::manifest
