// An hwloc XML made safe: read, checked, and written anew with nothing in it but what was checked.
// libhwloc sees only that.
#pragma once

#include <string>

#include "core/base/result.hpp"

namespace aictl::hwloc {

/// The same machine as text for hwloc_topology_set_xmlbuffer(). `text` may be anything; time is
/// linear in it, memory a small multiple. Errors: kDataRefused with line, column and what is wrong;
/// version 3 with the way to export again.
Result<std::string> normalise(std::string_view text);

}  // namespace aictl::hwloc
