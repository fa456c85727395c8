// The structs of a Topology as lists of (key, member). Writer and reader walk the same list, so
// what is written is what is read back.
#pragma once

#include <type_traits>

#include "core/topology/topology.hpp"

namespace aictl::topology {

/// Says which struct describe() is to list.
template <typename T>
struct Of {};

// `visit(key, member)` is a field left out while it has its default; `visit.always(key, member)`
// one that is always written.

template <typename Visit>
void describe(Visit& visit, Of<PageSize>) {
  visit.always("bytes", &PageSize::bytes);
  visit.always("count", &PageSize::count);
}

template <typename Visit>
void describe(Visit& visit, Of<PciFacts>) {
  visit.always("address", &PciFacts::address);
  visit("vendor", &PciFacts::vendor);
  visit("device", &PciFacts::device);
  visit("subvendor", &PciFacts::subvendor);
  visit("subdevice", &PciFacts::subdevice);
  visit("class", &PciFacts::class_id);
  visit("revision", &PciFacts::revision);
  visit("link_gbs", &PciFacts::link_gbs);
  visit("link_gts", &PciFacts::link_gts);
  visit("max_link_gts", &PciFacts::max_link_gts);
  visit("link_width", &PciFacts::link_width);
  visit("max_link_width", &PciFacts::max_link_width);
  visit("numa_node", &PciFacts::numa_node);
  visit("virtual_function", &PciFacts::virtual_function);
}

/// All but the complete sets, which are written only where they differ from the plain ones.
template <typename Visit>
void describe(Visit& visit, Of<Object>) {
  visit.always("type", &Object::type);
  visit("parent", &Object::parent);
  visit("os", &Object::os_index);
  visit("logical", &Object::logical_index);
  visit("name", &Object::name);
  visit("subtype", &Object::subtype);
  visit("cpuset", &Object::cpuset);
  visit("nodeset", &Object::nodeset);
  visit("level", &Object::level);
  visit("cache_type", &Object::cache_type);
  visit("bytes", &Object::bytes);
  visit("line_bytes", &Object::line_bytes);
  visit("ways", &Object::ways);
  visit("tier", &Object::tier);
  visit("pages", &Object::pages);
  visit("read_gbs", &Object::read_gbs);
  visit("latency_ns", &Object::latency_ns);
  visit("group_kind", &Object::group_kind);
  visit("group_subkind", &Object::group_subkind);
  visit("host_bridge", &Object::host_bridge);
  visit("down_domain", &Object::down_domain);
  visit("down_bus_first", &Object::down_bus_first);
  visit("down_bus_last", &Object::down_bus_last);
  visit("pci", &Object::pci);
  visit("os_type", &Object::os_type);
  visit("infos", &Object::infos);
}

template <typename Visit>
void describe(Visit& visit, Of<MigInstance>) {
  visit.always("uuid", &MigInstance::uuid);
  visit("profile", &MigInstance::profile);
  visit("memory_bytes", &MigInstance::memory_bytes);
  visit("sm_count", &MigInstance::sm_count);
}

template <typename Visit>
void describe(Visit& visit, Of<Gpu>) {
  visit.always("index", &Gpu::index);
  visit("pci", &Gpu::pci);
  visit.always("names", &Gpu::names);
  visit("vendor", &Gpu::vendor);
  visit("model", &Gpu::model);
  visit("uuid", &Gpu::uuid);
  visit("serial", &Gpu::serial);
  visit("driver", &Gpu::driver);
  visit("vbios", &Gpu::vbios);
  visit("architecture", &Gpu::architecture);
  visit("compute_capability", &Gpu::compute_capability);
  visit("cpuset", &Gpu::cpuset);
  visit("nodeset", &Gpu::nodeset);
  visit("memory_node", &Gpu::memory_node);
  visit("unified_memory", &Gpu::unified_memory);
  visit("memory_bytes", &Gpu::memory_bytes);
  visit("memory_reserved", &Gpu::memory_reserved);
  visit("memory_used", &Gpu::memory_used);
  visit("bar1_bytes", &Gpu::bar1_bytes);
  visit("memory_gbs", &Gpu::memory_gbs);
  visit("pcie_generation", &Gpu::pcie_generation);
  visit("pcie_width", &Gpu::pcie_width);
  visit("pcie_max_generation", &Gpu::pcie_max_generation);
  visit("pcie_max_width", &Gpu::pcie_max_width);
  visit("pcie_replays", &Gpu::pcie_replays);
  visit("pcie_gbs", &Gpu::pcie_gbs);
  visit("nvlink_count", &Gpu::nvlink_count);
  visit("nvlink_active", &Gpu::nvlink_active);
  visit("nvlink_version", &Gpu::nvlink_version);
  visit("nvlink_gbs", &Gpu::nvlink_gbs);
  visit("nvlink_errors", &Gpu::nvlink_errors);
  visit("fabric_state", &Gpu::fabric_state);
  visit("fabric_cluster", &Gpu::fabric_cluster);
  visit("mig_enabled", &Gpu::mig_enabled);
  visit("mig", &Gpu::mig);
  visit("power_watts", &Gpu::power_watts);
  visit("power_limit_watts", &Gpu::power_limit_watts);
  visit("power_default_watts", &Gpu::power_default_watts);
  visit("temperature_c", &Gpu::temperature_c);
  visit("clock_reasons", &Gpu::clock_reasons);
  visit("utilisation", &Gpu::utilisation);
  visit("persistence", &Gpu::persistence);
  visit("ecc", &Gpu::ecc);
  visit("ecc_uncorrected", &Gpu::ecc_uncorrected);
  visit("remap_pending", &Gpu::remap_pending);
  visit("remap_failed", &Gpu::remap_failed);
  visit("lost", &Gpu::lost);
  visit("missing", &Gpu::missing);
}

template <typename Visit>
void describe(Visit& visit, Of<Nic>) {
  visit.always("name", &Nic::name);
  visit("names", &Nic::names);
  visit("kind", &Nic::kind);
  visit("pci", &Nic::pci);
  visit("gbs", &Nic::gbs);
  visit("max_gbs", &Nic::max_gbs);
  visit("state", &Nic::state);
  visit("cpuset", &Nic::cpuset);
  visit("nodeset", &Nic::nodeset);
  visit("virtual_function", &Nic::virtual_function);
}

template <typename Visit>
void describe(Visit& visit, Of<Disk>) {
  visit.always("name", &Disk::name);
  visit("kind", &Disk::kind);
  visit("pci", &Disk::pci);
  visit("bytes", &Disk::bytes);
  visit("cpuset", &Disk::cpuset);
  visit("nodeset", &Disk::nodeset);
}

template <typename Visit>
void describe(Visit& visit, Of<Link>) {
  visit.always("a", &Link::a);
  visit.always("b", &Link::b);
  visit.always("level", &Link::level);
  visit("count", &Link::count);
  visit.always("medium", &Link::medium);
  visit("gbs", &Link::gbs);
  visit.always("source", &Link::source);
  visit("note", &Link::note);
}

template <typename Visit>
void describe(Visit& visit, Of<Distances>) {
  visit.always("name", &Distances::name);
  visit.always("kind", &Distances::kind);
  visit.always("labels", &Distances::labels);
  visit.always("values", &Distances::values);
  visit("objects", &Distances::objects);
}

template <typename Visit>
void describe(Visit& visit, Of<CpuKind>) {
  visit.always("efficiency", &CpuKind::efficiency);
  visit.always("cpuset", &CpuKind::cpuset);
  visit("infos", &CpuKind::infos);
}

template <typename Visit>
void describe(Visit& visit, Of<Limits>) {
  visit("cgroup_version", &Limits::cgroup_version);
  visit("cgroup_path", &Limits::cgroup_path);
  visit("cpuset", &Limits::cpuset);
  visit("memory_nodes", &Limits::memory_nodes);
  visit("affinity", &Limits::affinity);
  visit("cpu_quota", &Limits::cpu_quota);
  visit("effective_cpus", &Limits::effective_cpus);
  visit("memory_max", &Limits::memory_max);
  visit("memory_high", &Limits::memory_high);
  visit("memory_current", &Limits::memory_current);
  visit("swap_max", &Limits::swap_max);
  visit("memory_available", &Limits::memory_available);
  visit("throttled_usec", &Limits::throttled_usec);
  visit("throttled_periods", &Limits::throttled_periods);
  visit("oom_kills", &Limits::oom_kills);
  visit("pids_max", &Limits::pids_max);
  visit("memlock", &Limits::memlock);
  visit("outer_hidden", &Limits::outer_hidden);
}

template <typename Visit>
void describe(Visit& visit, Of<SystemFacts>) {
  visit("kernel", &SystemFacts::kernel);
  visit("vendor", &SystemFacts::vendor);
  visit("product", &SystemFacts::product);
  visit("hypervisor", &SystemFacts::hypervisor);
  visit("nvidia_driver", &SystemFacts::nvidia_driver);
  visit("cuda_driver", &SystemFacts::cuda_driver);
  visit("settings", &SystemFacts::settings);
}

template <typename Visit>
void describe(Visit& visit, Of<Warning>) {
  visit.always("code", &Warning::code);
  visit.always("text", &Warning::text);
}

template <typename Visit>
void describe(Visit& visit, Of<Origin>) {
  visit.always("source", &Origin::source);
  visit("input", &Origin::input);
  visit.always("live", &Origin::live);
}

/// What the objects, and the views of them, do not say.
template <typename Visit>
void describe(Visit& visit, Of<Topology>) {
  visit.always("gpus", &Topology::gpus);
  visit("nics", &Topology::nics);
  visit("disks", &Topology::disks);
  visit("nvswitches", &Topology::nvswitches);
  visit("links", &Topology::links);
  visit("limits", &Topology::limits);
  visit("system", &Topology::system);
  visit("warnings", &Topology::warnings);
}

struct AnyVisit;

/// A struct with a list of fields.
template <typename T>
concept Described = requires(AnyVisit& visit) {
  describe(visit, Of<T>{});
};
template <typename T>
concept Number = std::is_arithmetic_v<T>;
template <typename T>
concept Whole = std::is_integral_v<T> && !std::is_same_v<T, bool>;
template <typename T>
concept Word = std::is_enum_v<T>;

}  // namespace aictl::topology
