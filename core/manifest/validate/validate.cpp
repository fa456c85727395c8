#include "core/manifest/validate/validate.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/manifest/catalog/catalog.hpp"
#include "core/manifest/check/check.hpp"
#include "core/manifest/lint/lint.hpp"
#include "core/manifest/references/references.hpp"
#include "core/manifest/rules/rules.hpp"
#include "core/manifest/rules/walk.hpp"

namespace aictl::manifest {
namespace {

constexpr Severity kError = Severity::kError, kWarning = Severity::kWarning;

// The findings of the reader and the structural check; they have no function of their own.
constexpr Rule kStructure[] = {
    {"yaml", kError, "text that is no YAML, or repeats a key", nullptr},
    {"schema/key", kError, "keys that are no strings", nullptr},
    {"schema/kind", kError, "an apiVersion and kind that do not exist", nullptr},
    {"schema/unknown-field", kError, "fields the kind does not have", nullptr},
    {"schema/required", kError, "required fields that are missing", nullptr},
    {"schema/type", kError, "values of another type", nullptr},
    {"schema/enum", kError, "words that are not one of those allowed", nullptr},
    {"schema/pattern", kError, "text that does not match its pattern", nullptr},
    {"schema/format", kError, "text or numbers that do not have their format", nullptr},
    {"schema/quantity", kError, "quantities that are none", nullptr},
    {"schema/range", kError, "numbers below or above their bounds", nullptr},
    {"schema/size", kError, "text, lists or mappings too short or too long", nullptr},
    {"schema/forms", kError, "values of none of the forms allowed, or of several", nullptr},
    {"schema/duplicate", kError, "entries of a list that occur twice", nullptr},
    {"schema/deprecated", kWarning, "versions that will go away", nullptr},
};

}  // namespace

size_t Outcome::errors() const {
  return size_t(std::count_if(problems.begin(), problems.end(),
                              [](const Problem& p) { return p.severity == kError; }));
}

void Validator::add(std::string_view text, const std::string& file) {
  files_.push_back(file);
  Reading reading = read_text(text, file);
  for (Problem& problem : reading.problems) report_.add(std::move(problem));
  outcome_.documents += reading.documents.size();
  for (Document& document : reading.documents) {
    if (is_skipped(document))
      ++outcome_.skipped;
    else
      documents_.push_back(std::move(document));
  }
}

void Validator::add_foreign(const std::string& file, std::vector<Problem> found) {
  files_.push_back(file);
  ++outcome_.documents;
  for (Problem& problem : found) report_.add(std::move(problem));
}

bool Validator::is_skipped(const Document& document) const {
  if (options_.skip.empty()) return false;
  const auto [api_version, kind] = identify(document);
  const std::string name = api_version + "/" + kind;
  return std::any_of(options_.skip.begin(), options_.skip.end(),
                     [&name](const std::string& glob) { return matches_glob(glob, name); });
}

Outcome Validator::finish() && {
  for (Document& document : documents_) check_structure(Catalog::builtin(), document, report_);
  const Context context{options_.external};
  check_server_rules(documents_, context, report_);
  if (options_.references) check_references(documents_, context, report_);
  if (options_.lint) check_lint(documents_, context, report_);
  report_.sort(files_);
  outcome_.problems = report_.problems();
  outcome_.files = files_.size();
  return std::move(outcome_);
}

std::vector<Rule> all_rules() {
  std::vector<Rule> rules(std::begin(kStructure), std::end(kStructure));
  for (const std::span<const Rule> more : {server_rules(), reference_rules(), lint_rules()})
    rules.insert(rules.end(), more.begin(), more.end());
  return rules;
}

}  // namespace aictl::manifest
