// The catalog's bytes, as schemas/refresh wrote them.
#pragma once

#include <string_view>

namespace aictl::manifest {

/// One zstd frame.
std::string_view embedded_catalog();

}  // namespace aictl::manifest
