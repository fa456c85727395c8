#include "plugins/topology/json/json.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/topology/json.hpp"

namespace aictl {
namespace {

// Well past any machine, and little enough that the tree of values fits in memory.
constexpr size_t kMaxBytes = size_t{32} << 20;
constexpr ptrdiff_t kMaxValues = 4 << 20;

}  // namespace

bool JsonTopologySource::recognises(std::string_view bytes) const {
  const size_t first = bytes.find_first_not_of(" \t\r\n");
  return first != bytes.npos && bytes[first] == '{';
}

Result<Topology> JsonTopologySource::import(std::string_view bytes, const Sight&) const {
  if (bytes.size() > kMaxBytes)
    return Error{ErrorCode::kDataRefused,
                 fmt::format("{} bytes of JSON, {} at most", bytes.size(), kMaxBytes), ""};
  const auto values = std::count_if(bytes.begin(), bytes.end(),
                                    [](char c) { return c == ',' || c == '[' || c == '{'; });
  if (values > kMaxValues)
    return Error{ErrorCode::kDataRefused, fmt::format("over {} values", kMaxValues), ""};
  auto tree = parse_json(bytes);
  if (!tree) return std::move(tree).error();
  return topology::from_json(*tree);
}

void add_json_topology(Plugins& plugins) {
  plugins.topology.add("json", "topologies as aictl topo -o json writes them",
                       [] { return std::make_unique<JsonTopologySource>(); });
}

}  // namespace aictl
