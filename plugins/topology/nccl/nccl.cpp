#include "plugins/topology/nccl/nccl.hpp"

#include <fmt/format.h>

#include "plugins/topology/nccl/build.hpp"

namespace aictl {

bool NcclSource::recognises(std::string_view bytes) const {
  const std::string_view root = nccl::root_name(bytes);
  return root == "system" || root == "graphs";
}

Result<Topology> NcclSource::import(std::string_view bytes, const Sight&) const {
  auto root = nccl::parse_xml(bytes);
  if (!root) return std::move(root).error();
  if (root->name == "graphs")
    return Error{
        ErrorCode::kDataRefused,
        fmt::format("line {}: <graphs> holds rings that NCCL computed, not a machine", root->line),
        "give the file of NCCL_TOPO_DUMP_FILE, not of NCCL_GRAPH_DUMP_FILE"};
  if (root->name != "system")
    return Error{ErrorCode::kDataRefused,
                 fmt::format("line {}: the root is <{}>, not <system>", root->line,
                             root->name.substr(0, 40)),
                 "expected the XML of NCCL_TOPO_DUMP_FILE"};
  return nccl::build_topology(*root);
}

void add_nccl_topology(Plugins& plugins) {
  plugins.topology.add("nccl", "reads topology files of NCCL and RCCL",
                       [] { return std::make_unique<NcclSource>(); });
}

}  // namespace aictl
