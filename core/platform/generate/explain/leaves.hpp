// The leaves of a tree, each with its JSON pointer.
#pragma once

#include <string>

#include <fmt/format.h>

#include "core/value/json.hpp"

namespace aictl::platform {

/// Calls visit(pointer, leaf) for each value of `tree` that is neither a mapping nor a list, in its
/// order; pointers begin with `pointer`.
template <typename Visit>
void for_each_leaf(const Json& tree, const std::string& pointer, const Visit& visit) {
  if (tree.is_object()) {
    for (const auto& [key, item] : tree.items()) {
      std::string token = key;
      for (size_t at = 0; (at = token.find_first_of("~/", at)) != token.npos; at += 2)
        token.replace(at, 1, token[at] == '~' ? "~0" : "~1");
      for_each_leaf(item, pointer + "/" + token, visit);
    }
  } else if (tree.is_array()) {
    for (size_t i = 0; i < tree.size(); ++i)
      for_each_leaf(tree[i], fmt::format("{}/{}", pointer, i), visit);
  } else {
    visit(pointer, tree);
  }
}

}  // namespace aictl::platform
