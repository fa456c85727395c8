#include "core/platform/spec/templates.hpp"

#include <vector>

#include <fmt/format.h>

#include "core/base/nearest.hpp"

namespace aictl::platform {

std::string SpecTemplate::summary() const {
  std::string words;
  std::string_view rest = text;
  while (rest.starts_with("# ")) {
    const size_t end = rest.find('\n');
    words += (words.empty() ? "" : " ") + std::string(rest.substr(2, end - 2));
    if (end == rest.npos) break;
    rest.remove_prefix(end + 1);
  }
  const size_t stop = words.find(". ");
  if (stop != words.npos) words.resize(stop);
  if (words.ends_with('.')) words.pop_back();
  return words;
}

Result<SpecTemplate> find_spec_template(std::string_view name) {
  std::vector<std::string_view> names;
  for (const SpecTemplate& one : spec_templates()) {
    if (one.name == name) return one;
    names.push_back(one.name);
  }
  std::string hint = did_you_mean(name, names);
  if (hint.empty()) hint = fmt::format("there are {}", fmt::join(names, ", "));
  return Error{ErrorCode::kInvalidArgument, fmt::format("no template '{}'", name), hint};
}

}  // namespace aictl::platform
