#include "core/topology/json/write.hpp"

#include "core/topology/json.hpp"
#include "core/topology/json/views.hpp"

namespace aictl::topology {
namespace {

Json write_objects(const Topology& topology) {
  Json list = Json::array();
  for (const Object& object : topology.objects) {
    Json row = write(object);
    if (object.complete_cpuset != object.cpuset)
      row["complete_cpuset"] = object.complete_cpuset.list();
    if (object.complete_nodeset != object.nodeset)
      row["complete_nodeset"] = object.complete_nodeset.list();
    list.push_back(std::move(row));
  }
  return list;
}

Json write_distances(const Topology& topology) {
  Json list = Json::array();
  for (const Distances& matrix : topology.distances) {
    Json row = write(matrix);
    row["n"] = matrix.labels.size();
    list.push_back(std::move(row));
  }
  return list;
}

}  // namespace

Json to_json(const Topology& topology) {
  const Object machine = topology.objects.empty() ? Object{} : topology.objects[0];
  const auto memory = host_memory(topology);
  Json tree = {{"aictl_topology", 1}, {"origin", write(topology.origin)}};
  if (!topology.hostname.empty()) tree["hostname"] = topology.hostname;
  tree["counts"] = counts_view(topology);
  tree["total_memory_bytes"] = memory ? Json(*memory) : Json(nullptr);
  tree["cpuset"] = machine.cpuset.list();
  tree["complete_cpuset"] = topology.complete_cpuset.list();
  tree["allowed_cpuset"] = topology.allowed_cpuset.list();
  tree["allowed_nodeset"] = topology.allowed_nodeset.list();
  tree["numa"] = numa_view(topology);
  tree["packages"] = packages_view(topology);
  tree["osdevs"] = osdevs_view(topology);
  tree["distances"] = write_distances(topology);
  tree["cpukinds"] = write(topology.cpu_kinds);
  if (!topology.gpus.empty()) tree["gpu_pcie_levels"] = pcie_levels_view(topology);
  const Json rest = write(topology);
  for (const auto& [key, value] : rest.items()) tree[key] = value;
  tree["objects"] = write_objects(topology);
  return tree;
}

}  // namespace aictl::topology
