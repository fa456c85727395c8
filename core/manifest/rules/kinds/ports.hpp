// Port numbers, wherever they stand.
#pragma once

#include <string>

#include "core/manifest/document.hpp"

namespace aictl::manifest {

/// Reports an integer that is no port; passes by what is absent or a name.
void check_port_number(const Document& document, const std::string& path, const Json* value,
                       Report& report);

}  // namespace aictl::manifest
