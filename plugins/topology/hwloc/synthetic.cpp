// Bounds hwloc's description language before libhwloc multiplies what is in it.
#include <fmt/format.h>

#include "plugins/topology/hwloc/machine.hpp"
#include "plugins/topology/hwloc/xml/objects.hpp"

namespace aictl::hwloc {

Result<void> check_synthetic(std::string_view description) {
  constexpr size_t kMaxText = 1024;
  constexpr uint64_t kMaxObjects = 16384;
  constexpr uint64_t kMaxWords = 1'200'000'000;  // of sets compared: about a second; pu:4096 fits
  const auto wrong = [&](std::string_view why) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("'{}': {}", description.substr(0, 80), why),
                 "such as \"package:2 numa:1 core:8 pu:2\""};
  };
  constexpr std::string_view kCharacters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 :()[]=,*-";
  if (description.size() > kMaxText) return wrong(fmt::format("over {} characters", kMaxText));
  if (const size_t bad = description.find_first_not_of(kCharacters); bad != description.npos)
    return wrong(fmt::format("'{}' has no meaning", description.substr(bad, 1)));
  // Every number outside of parentheses counts objects of a level in each of the level above.
  uint64_t product = 1, steps = 0;
  int depth = 0;
  for (size_t i = 0; i < description.size(); ++i) {
    if (description[i] == '(') ++depth;
    if (description[i] == ')' && --depth < 0) return wrong("a ')' without its '('");
    if (depth > 1) return wrong("'(' in parentheses");
    const bool digit = description[i] >= '0' && description[i] <= '9';
    const char before = i == 0 ? ' ' : description[i - 1];
    if (!digit || depth > 0 || (before != ':' && before != ' ')) continue;
    const size_t end = std::min(description.find_first_not_of("0123456789", i), description.size());
    const auto count = decimal(description.substr(i, end - i), kMaxObjects);
    if (!count || *count == 0 || (product *= *count) > kMaxObjects)
      return wrong(fmt::format("a level has 1 to {} objects in all", kMaxObjects));
    steps += product * *count;  // libhwloc compares each with those beside it
    i = end - 1;
  }
  if (steps * (product / 64 + 1) > kMaxWords)
    return wrong("so many objects side by side take too long; put a level between");
  return depth == 0 ? Result<void>() : Result<void>(wrong("a '(' without its ')'"));
}

}  // namespace aictl::hwloc
