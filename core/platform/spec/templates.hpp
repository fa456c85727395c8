// The specs that `aictl init` starts from: templates/platform/*.yaml, compiled in.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace aictl::platform {

struct SpecTemplate {
  std::string_view name;  // "minimal"
  std::string_view text;

  /// Its first sentence.
  std::string summary() const;
};

/// All, the simplest first.
std::span<const SpecTemplate> spec_templates();

/// Errors: kInvalidArgument with the nearest name.
Result<SpecTemplate> find_spec_template(std::string_view name);

}  // namespace aictl::platform
