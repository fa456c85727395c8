// The CEL rules of custom resources, over the object as a server sees it: defaults filled in.
#include <map>
#include <mutex>
#include <optional>

#include "core/manifest/catalog/catalog.hpp"
#include "core/manifest/cel/cel.hpp"
#include "core/manifest/check/check.hpp"
#include "core/manifest/rules/tables.hpp"
#include "core/manifest/rules/walk.hpp"

namespace aictl::manifest {
namespace {

struct Expression {
  std::string text, message;
  std::optional<cel::Rule> rule;  // nullopt: about updates, or in words we do not have
};

// Parsed once for the process; schemas live as long.
const std::vector<Expression>& expressions_of(const Schema& schema) {
  static std::mutex mutex;  // guards the map, whose nodes stay where they are
  static std::map<const Schema*, std::vector<Expression>> known;
  std::lock_guard lock(mutex);
  const auto [entry, is_new] = known.try_emplace(&schema);
  if (!is_new) return entry->second;
  for (const Json& each : schema.validations) {
    Expression expression{std::string(text(each, "rule")), std::string(text(each, "message")),
                          std::nullopt};
    auto rule = cel::Rule::parse(expression.text);
    if (rule && !rule->mentions("oldSelf")) expression.rule = std::move(*rule);
    entry->second.push_back(std::move(expression));
  }
  return entry->second;
}

void evaluate(const Document& document, const Schema& schema, const Json& value,
              const std::string& path, Report& report) {
  if (schema.validations.is_array() && !value.is_null())
    for (const Expression& expression : expressions_of(schema)) {
      if (!expression.rule) continue;
      const auto holds = expression.rule->holds(value);
      if (holds && *holds) continue;
      std::string message =
          expression.message.empty() ? "failed rule: " + expression.text : expression.message;
      if (!holds) message += fmt::format(" ({})", holds.error().message);
      report.error(document, path.empty() ? "." : path, "cel/rule", std::move(message),
                   "the rule is " + expression.text);
    }
  if (value.is_array() && schema.items != nullptr)
    for (size_t i = 0; i < value.size(); ++i)
      evaluate(document, *schema.items, value[i], fmt::format("{}[{}]", path, i), report);
  if (value.is_object())
    for (const auto& item : value.items())
      if (const Schema* below = schema.below(item.key()))
        evaluate(document, *below, item.value(), join(path, item.key()), report);
  for (const Schema* part : schema.all_of) evaluate(document, *part, value, path, report);
}

}  // namespace

void check_expressions(Documents documents, const Context&, Report& report) {
  for (const Document& document : documents) {
    if (document.known == nullptr || !document.known->custom) continue;
    const Schema* schema = document.known->schema;
    if (schema != nullptr)
      evaluate(document, *schema, complete(document.object, *schema), "", report);
  }
}

}  // namespace aictl::manifest
