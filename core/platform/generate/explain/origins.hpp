// Where the variables of templates come from: a line of the spec, its default, a measurement of a
// machine, a formula of the plan, a rule of this program.
#pragma once

#include <string>

#include "core/platform/plan/plan.hpp"

namespace aictl::platform {

/// What made a variable, in words.
struct Origin {
  enum class Kind : uint8_t { kSpec, kDefault, kMeasured, kFormula, kRule } kind = Kind::kRule;
  std::string words;  // "aictl.yaml:12 (models[0].replicas)"
};

/// The origin of the variable at `pointer` ("/workloads/2/resources/cpu") among those that
/// platform_variables makes of the plan, knobs being at /targets/<target>; `value` is what it gave.
Origin origin_of(const PlatformPlan& plan, const std::string& pointer, const std::string& value);

/// The line of the spec that says a field, or that it is left at its default.
Origin origin_in_spec(const Platform& platform, const std::string& pointer);

}  // namespace aictl::platform
