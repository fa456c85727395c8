// SHA-256, for provenance and for names that are made from others.
#pragma once

#include <string>
#include <string_view>

namespace aictl::platform {

/// 64 hexadecimal digits.
std::string sha256(std::string_view bytes);

}  // namespace aictl::platform
