// Whether the socket file of a listener can be made.
#pragma once

#include <string>

#include "core/base/result.hpp"

namespace aictl::inference {

/// Looks, and changes nothing, so that a long load does not end in a refused listener. `address` is
/// "unix:/path"; any other is fine. Errors: kNotFound without its folder, kForbidden and kIo where
/// no file can be made in it, kConflict when the path is something else, kUnavailable when another
/// process listens there.
Result<void> check_socket_file(const std::string& address);

}  // namespace aictl::inference
