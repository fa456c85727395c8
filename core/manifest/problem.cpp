#include "core/manifest/problem.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "core/manifest/document.hpp"

namespace aictl::manifest {

std::string_view word(Severity severity) {
  return severity == Severity::kError ? "error" : "warning";
}

void Report::error(const Document& document, std::string_view path, std::string_view rule,
                   std::string message, std::string hint) {
  add(document, path, Severity::kError, rule, std::move(message), std::move(hint));
}

void Report::warning(const Document& document, std::string_view path, std::string_view rule,
                     std::string message, std::string hint) {
  add(document, path, Severity::kWarning, rule, std::move(message), std::move(hint));
}

void Report::add(const Document& document, std::string_view path, Severity severity,
                 std::string_view rule, std::string message, std::string hint) {
  const SourcePlace place = document.place(path);
  problems_.push_back({document.file, place.line, place.column, document.label(),
                       path.empty() ? "." : std::string(path), severity, std::string(rule),
                       std::move(message), std::move(hint)});
}

size_t Report::count(Severity severity) const {
  return size_t(std::count_if(problems_.begin(), problems_.end(),
                              [&](const Problem& p) { return p.severity == severity; }));
}

void Report::sort(const std::vector<std::string>& files) {
  std::map<std::string_view, size_t> order;
  for (const std::string& file : files) order.emplace(file, order.size());
  const auto key = [&order](const Problem& problem) {
    const auto found = order.find(problem.file);
    return std::tuple(found == order.end() ? order.size() : found->second, problem.line,
                      problem.column);
  };
  std::stable_sort(problems_.begin(), problems_.end(),
                   [&](const Problem& a, const Problem& b) { return key(a) < key(b); });
  // A schema and a rule may say the same of a field.
  std::set<std::tuple<std::string, int, std::string, std::string, std::string>> told;
  std::erase_if(problems_, [&told](const Problem& problem) {
    return !told.emplace(problem.file, problem.line, problem.object, problem.path, problem.message)
                .second;
  });
}

}  // namespace aictl::manifest
