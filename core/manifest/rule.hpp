// Rules: what an API server, an operator or good practice asks and no schema says.
//
// A rule is a row of a table and a function:
//
//   void check_cluster_queue(Documents documents, const Context& context, Report& report) {
//     for (const Document& document : documents)
//       if (document.known && is_kind(document, "kueue.x-k8s.io", "ClusterQueue")) ...
//         report.error(document, "spec.resourceGroups[0]", "reference/flavor", "...", "...");
//   }
//   constexpr Rule kRules[] = {{"reference/flavor", Severity::kError, "what it finds", check_...}};
//
// A function may report under several rows; each id it uses has a row. Tables are joined in
// rules/rules.cpp. A rule never fails and never throws on malformed objects: fields of the wrong
// type are the structural check's to report, and a rule passes them by.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/manifest/document.hpp"

namespace aictl::manifest {

using Documents = std::span<const Document>;

/// What the asker knows beside the documents.
struct Context {
  std::vector<std::string> external;  // KIND/NAME, globs: objects that exist outside of them
};

/// One row.
struct Rule {
  std::string_view id;  // "family/what", stable
  Severity severity;    // the usual one; a finding may be milder
  std::string_view title;
  void (*check)(Documents documents, const Context& context, Report& report);
};

}  // namespace aictl::manifest
