// Patterns of schemas. They are written for RE2, which PCRE2 reads alike where schemas go; a step
// limit stands in for RE2's promise of linear time.
#pragma once

#include <string>
#include <string_view>

namespace aictl::manifest {

/// Whether `pattern` is found in `text`, which is UTF-8. A pattern that does not compile here, or
/// runs out of steps, counts as found: only the server can tell. Compiled once; any thread.
bool pattern_matches(const std::string& pattern, std::string_view text);

}  // namespace aictl::manifest
