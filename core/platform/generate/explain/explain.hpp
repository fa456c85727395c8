// Why a field of what was generated is what it is.
#pragma once

#include <string>
#include <vector>

#include "core/platform/generate/generate.hpp"

namespace aictl::platform {

/// A field of a generated object and what made it so.
struct Explanation {
  std::string object, path, value;
  std::string because;  // lines of the spec, measurements, formulas, rules; the template at last
};

/// Explains the fields whose "Kind/name/path" contains `about`; empty: those with a reason of their
/// own, beside what the template or a rule of this program says of every platform. Exact for what
/// was generated with a trace; else a value is told to equal one of the spec.
std::vector<Explanation> explain(const PlatformPlan& plan, const Generated& generated,
                                 const std::string& about);

}  // namespace aictl::platform
