#include "plugins/topology/sysfs/sysfs.hpp"

#include "plugins/topology/sysfs/parts.hpp"

namespace aictl {

Result<void> SysfsTopology::look(const Sight& sight, Topology& topology) const {
  auto root = sysfs::Root::open(sight.sysroot);
  if (!root) return std::move(root).error();
  sysfs::look_at_system(*root, topology);
  sysfs::look_at_cpus(*root, topology);
  sysfs::look_at_memory(*root, topology);
  sysfs::look_at_pci(*root, topology);
  sysfs::look_at_gpus(*root, topology);
  sysfs::look_at_nics(*root, topology);
  sysfs::look_at_disks(*root, topology);
  sysfs::look_at_limits(*root, topology);  // last: counts the CPUs the others found
  return {};
}

void add_sysfs_topology(Plugins& plugins) {
  plugins.topology.add("sysfs", "limits, links, memory settings and drivers by Linux's own files",
                       [] { return std::make_unique<SysfsTopology>(); });
}

}  // namespace aictl
