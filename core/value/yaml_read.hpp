// The reader behind `parse_yaml`, with its choices: which dialect, how large a document may get.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/value/yaml.hpp"
#include "core/value/yaml_scalar.hpp"

namespace aictl {

/// A key that is a number, a boolean or null, and so no key of JSON; or one that comes again.
struct OddKey {
  std::string pointer;  // of the mapping it stands in
  std::string text;
  SourcePlace place;
};

struct YamlOptions {
  YamlDialect dialect = YamlDialect::kCore;  // kKubernetes resolves merge keys, too
  int max_depth = 64;
  size_t max_nodes = 1'000'000;  // after aliases are resolved; long text in an alias counts more
  int first_line = 1;            // the number of the text's first line, for places and messages
  std::vector<OddKey>* odd_keys = nullptr;  // collects them, unread; without it they are text
  std::vector<OddKey>* repeated = nullptr;  // collects keys that come again, unread; without it
                                            // they are refused
};

/// Parses one YAML document; absent (null, no places) when the text has none. Errors: as
/// `parse_yaml`.
Result<YamlDocument> parse_yaml(std::string_view text, const YamlOptions& options);

}  // namespace aictl
