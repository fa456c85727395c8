// The "sysfs" source: what Linux tells in /sys and /proc that hwloc does not carry: limits of the
// control groups, link widths, huge pages, governors, drivers' own files. Works on this machine and
// on a captured root; runs no program and opens no socket.
//
// Keys it writes to SystemFacts::settings (absent: the kernel does not tell). "yes" is a flag.
//   transparent_hugepage, transparent_hugepage_defrag    the chosen word: always, madvise, never
//   hugepages_<N>kB, hugepages_<N>kB_free, _surplus      pages of that size, whole machine
//   numa_balancing, zone_reclaim_mode, swappiness        numbers as the kernel has them
//   governor, scaling_driver, energy_performance         one word, or "a 0-3, b 4-7" where CPUs
//   differ online_cpus, offline_cpus, isolated_cpus, nohz_full_cpus, smt boot.<word> known words of
//   the kernel's command line bios, board, chassis_type                            DMI;
//   chassis_type is SMBIOS's number cpu_model, iommu_groups, accelerator_driver nvidia.<parameter>
//   of /proc/driver/nvidia/params aer                                                  functions
//   with error counters aer.<address>.<correctable|nonfatal|fatal>           counted errors, only
//   where not 0 dimm.<handle>                                        "LOCATION; BANK; BYTES; MT/s",
//   0 B: empty slot dax.<name>, cxl.<name>                               "BYTES; node N; KIND"
//   cpu_pressure, memory_pressure                        PSI: percent of the last 10 s some task
//   waited cgroup.cpu.weight, cgroup.io.max, cgroup.hugetlb.<size>.max    of our own group
//   mems_allowed                                         NUMA nodes this process may use
#pragma once

#include "core/plugin/plugins.hpp"
#include "core/plugin/topology_source.hpp"

namespace aictl {

class SysfsTopology final : public TopologySource {
 public:
  /// Errors: those of opening the root; a file that cannot be read is no error.
  Result<void> look(const Sight& sight, Topology& topology) const override;
};

void add_sysfs_topology(Plugins& plugins);

}  // namespace aictl
