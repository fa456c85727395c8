// From manifests back to the spec they were made from, or could have been made from.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/platform/import/draft.hpp"
#include "core/plugin/plugins.hpp"

namespace aictl::platform {

struct Imported {
  Json spec;                     // as the reader of specs takes it, without its defaults
  std::vector<Untaken> untaken;  // what of the objects is not in it
};

/// The spec of `objects`: the one in the ConfigMap NAME-spec that `aictl generate` wrote, with what
/// has been changed in a model's workload since: its replicas and its image; without that one, what
/// the objects themselves say, ours or others'. With `plugins` knobs that are as by default are
/// left out. Errors: kDataRefused when there is nothing to run among them, or several specs.
Result<Imported> import_spec(std::span<const Json> objects, const Plugins* plugins = nullptr);

/// A line an object: its name, the paths and why.
std::vector<std::string> untaken_lines(std::span<const Untaken> untaken);

}  // namespace aictl::platform
