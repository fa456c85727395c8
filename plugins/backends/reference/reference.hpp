// The reference backend: scalar, double accumulation over decoded weights, float KV. It runs every
// model and is the oracle of every test; it never gets clever.
#pragma once

#include <memory>

#include "core/plugin/backend.hpp"
#include "core/plugin/plugins.hpp"

namespace aictl {

/// The weights stay in the source given to load(), which must outlive the runner.
std::unique_ptr<Backend> make_reference_backend(const BackendOptions& options);

/// Adds the backend under the name "reference".
void add_reference_backend(Plugins& plugins);

}  // namespace aictl
