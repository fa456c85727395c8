// From generated manifests back to the spec they were made from.
#pragma once

#include <span>

#include "core/base/result.hpp"
#include "core/value/json.hpp"

namespace aictl::platform {

/// The label of the ConfigMap that carries the spec, and its key there.
inline constexpr const char* kSpecLabel = "aictl.dev/spec";
inline constexpr const char* kSpecKey = "aictl.yaml";

/// The spec among `objects`, which `aictl generate` wrote or a cluster gave back, with what has
/// been changed in a model's workload since: its replicas and its image. Errors: kNotFound when no
/// object carries a spec, kDataRefused when there are several or it does not read.
Result<Json> import_spec(std::span<const Json> objects);

}  // namespace aictl::platform
