// YAML <-> tree. Only the plain subset that configuration needs: maps, lists, scalars; anchors are
// resolved with a bound, tags other than !!str are refused.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/value/json.hpp"

namespace aictl {

/// Where a node stands in its file, from 1.
struct SourcePlace {
  int line = 0, column = 0;
};

/// A tree and the place of each node, by JSON pointer ("/models/0/name").
struct YamlDocument {
  Json tree;
  std::map<std::string, SourcePlace> places;
};

/// Parses one YAML document. Plain scalars become null, bool, integer or float as YAML 1.2's core
/// schema says; all else is a string. Errors: kDataRefused with line and column; also on bytes that
/// are not UTF-8 text, duplicate keys, several documents, depth over 64 or more than 1,000,000 nodes after resolving aliases.
Result<YamlDocument> parse_yaml(std::string_view text);

/// `tree` as a block-style YAML document that parse_yaml reads back to the same tree.
std::string dump_yaml(const Json& tree);

}  // namespace aictl
