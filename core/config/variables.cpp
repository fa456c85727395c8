#include "core/config/variables.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>
#include <unistd.h>

#include "core/base/nearest.hpp"

namespace aictl {

std::vector<std::string> process_variables() {
  std::vector<std::string> names;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const size_t equals = text.find('=');
    if (text.starts_with("AICTL_") && equals != text.npos && equals + 1 < text.size())
      names.emplace_back(text.substr(0, equals));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> unknown_variables(const std::vector<std::string>& set,
                                           const std::vector<std::string>& known,
                                           const std::vector<std::string>& foreign) {
  const std::vector<std::string_view> candidates(known.begin(), known.end());
  std::vector<std::string> out;
  for (const std::string& name : set) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    if (std::any_of(foreign.begin(), foreign.end(),
                    [&](const std::string& start) { return name.starts_with(start); }))
      continue;
    const std::string hint = did_you_mean(name, candidates);
    out.push_back(
        fmt::format("nothing reads the variable {}{}{}", name, hint.empty() ? "" : "; ", hint));
  }
  return out;
}

}  // namespace aictl
