// Topology: one machine as plain data. Sources (plugins/topology) fill it; every output, the
// planner and the doctor read it. A value: nothing in it refers to the machine it came from.
//
// Two layers. `objects` is the tree of what the hardware has, as hwloc sees it (its terms, its
// order). Beside it stand the devices people speak of (gpus, nics, disks) and the links between
// them, joined by PCI address: one board is one Gpu, however many drivers show it.
//
// Bandwidths are GB/s = 1e9 bytes a second in one direction; sizes are bytes; unknown is nullopt.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/topology/bitset.hpp"

namespace aictl::topology {

/// Name and value, in the order they were found.
using Infos = std::vector<std::pair<std::string, std::string>>;

/// A place on a PCI bus. Domains go past 16 bits behind VMD and on Hyper-V.
struct PciAddress {
  uint32_t domain = 0;
  uint8_t bus = 0, device = 0, function = 0;

  auto operator<=>(const PciAddress&) const = default;
  /// "0000:3b:00.0": lower case, at least four digits of domain.
  std::string text() const;
  /// Reads "0000:3b:00.0", "00000000:3B:00.0" and "3b:00.0". nullopt when it is neither.
  static std::optional<PciAddress> parse(std::string_view text);
};

// ---- The tree -----------------------------------------------------------------------------------

enum class ObjectType {
  kMachine, kPackage, kDie, kGroup, kNuma, kMemCache, kCache, kCore, kPu,
  kBridge, kPci, kOsDevice, kMisc
};

enum class CacheType { kUnified, kData, kInstruction };

/// What a memory node is made of. kUnknown where no source says; ordinary DRAM is kDram.
enum class MemoryTier { kUnknown, kDram, kHbm, kNvm, kCxl, kGpu };

struct PageSize {
  uint64_t bytes = 0, count = 0;

  bool operator==(const PageSize&) const = default;
};

/// Identity and link of a PCI function.
struct PciFacts {
  PciAddress address;
  uint16_t vendor = 0, device = 0, subvendor = 0, subdevice = 0;
  uint16_t class_id = 0;  // 0x0302: class 03, subclass 02
  uint8_t revision = 0;
  double link_gbs = 0;  // current, as hwloc's linkspeed; 0: unknown
  // Only where /sys or a driver tells.
  std::optional<double> link_gts, max_link_gts;    // GT/s a lane
  std::optional<int> link_width, max_link_width;   // lanes
  std::optional<int> numa_node;                    // as the kernel says; -1: it does not know
  bool virtual_function = false;

  bool operator==(const PciFacts&) const = default;
};

/// One node of the tree. Which fields mean something depends on `type`.
struct Object {
  ObjectType type = ObjectType::kMachine;
  int parent = -1;         // index in Topology::objects; -1: the root
  int os_index = -1;       // the operating system's number; -1: none
  int logical_index = -1;  // among its type (a cache: among its level and type)
  std::string name;        // "eth0", "NVIDIA H100"; often empty
  std::string subtype;     // "NVMLDevice", "HBM", "Cluster"; often empty
  Bitset cpuset, complete_cpuset;    // empty for I/O and Misc objects
  Bitset nodeset, complete_nodeset;
  Infos infos;

  // kCache, kMemCache
  int level = 0;
  CacheType cache_type = CacheType::kUnified;
  uint64_t bytes = 0;  // also a kNuma's local memory; 0: unknown
  int line_bytes = 0, ways = 0;
  // kNuma
  MemoryTier tier = MemoryTier::kUnknown;
  std::vector<PageSize> pages;
  std::optional<double> read_gbs;     // what firmware says (HMAT), from the local initiator
  std::optional<double> latency_ns;
  // kGroup
  int group_kind = 0, group_subkind = 0;
  // kBridge
  bool host_bridge = false;                  // upstream is the processor
  uint32_t down_domain = 0;
  uint8_t down_bus_first = 0, down_bus_last = 0;
  // kPci, and kBridge unless it is a host bridge
  PciFacts pci;
  // kOsDevice: "block", "gpu", "network", "openfabrics", "dma", "coproc"
  std::string os_type;

  bool operator==(const Object&) const = default;
};

// ---- Devices ------------------------------------------------------------------------------------

/// A value a driver may refuse: why it is absent.
using Reasons = std::map<std::string, std::string>;  // field -> "not supported", "no permission"

/// A slice of a GPU in MIG mode.
struct MigInstance {
  std::string uuid, profile;
  std::optional<uint64_t> memory_bytes;
  std::optional<int> sm_count;

  bool operator==(const MigInstance&) const = default;
};

struct Gpu {
  int index = 0;                     // in PCI order, as NVML counts
  std::optional<PciAddress> pci;     // unknown in an nvidia-smi table
  std::vector<std::string> names;    // of its OS devices: nvml0, cuda0, opencl0d0; in tree order
  std::string vendor;                // "NVIDIA", "AMD", "Intel"
  std::string model;                 // "NVIDIA H100 80GB HBM3"; may be empty
  std::string uuid, serial;
  std::string driver, vbios;
  std::string architecture;          // "Hopper"
  std::optional<std::string> compute_capability;  // "9.0"
  Bitset cpuset, nodeset;            // near it; empty: no locality known
  std::optional<int> memory_node;    // NUMA node that is the GPU's own memory
  bool unified_memory = false;       // shares the host's memory (GB10)
  std::optional<uint64_t> memory_bytes, memory_reserved, memory_used, bar1_bytes;
  std::optional<double> memory_gbs;  // of its memory
  // PCI Express link: now, and the most that board and slot allow.
  std::optional<int> pcie_generation, pcie_width, pcie_max_generation, pcie_max_width;
  std::optional<uint64_t> pcie_replays;
  std::optional<double> pcie_gbs;
  // NVLink
  std::optional<int> nvlink_count, nvlink_active;  // links it has, links that are up
  std::optional<int> nvlink_version;               // 4
  std::optional<double> nvlink_gbs;                // one link, one direction
  std::optional<uint64_t> nvlink_errors;
  // NVSwitch fabric: 0 not supported, 1 not started, 2 in progress, 3 completed.
  std::optional<int> fabric_state;
  std::string fabric_cluster;  // "clusterUuid.cliqueId"
  bool mig_enabled = false;
  std::vector<MigInstance> mig;
  // State now
  std::optional<double> power_watts, power_limit_watts, power_default_watts, temperature_c;
  std::optional<uint64_t> clock_reasons;  // NVML's bits
  std::optional<int> utilisation;         // percent
  std::optional<bool> persistence, ecc;
  std::optional<uint64_t> ecc_uncorrected;  // since the driver was loaded
  std::optional<bool> remap_pending, remap_failed;
  std::string lost;        // not empty: the GPU does not answer, and why
  Reasons missing;         // fields nobody could tell, with the reason

  bool operator==(const Gpu&) const = default;
};

struct Nic {
  std::string name;                // "mlx5_0", "eth0", "NIC0" in an nvidia-smi table
  std::vector<std::string> names;  // of its OS devices: the RDMA device and its interfaces
  std::string kind;                // "ethernet", "infiniband"
  std::optional<PciAddress> pci;
  std::optional<double> gbs, max_gbs;  // current, and what the port could
  std::string state;               // "up", "down", ""
  Bitset cpuset, nodeset;
  bool virtual_function = false;

  bool operator==(const Nic&) const = default;
};

struct Disk {
  std::string name;  // "nvme0n1"
  std::string kind;  // "nvme", "ssd", "rotating", "pmem", "cxl", "network"; "disk": not known
  std::optional<PciAddress> pci;
  std::optional<uint64_t> bytes;
  Bitset cpuset, nodeset;

  bool operator==(const Disk&) const = default;
};

// ---- Links --------------------------------------------------------------------------------------

/// How far two devices are apart, nearest first: nvidia-smi's words. kNv is a direct link.
enum class Level { kSelf, kNv, kPix, kPxb, kPhb, kNode, kSys, kUnknown };

/// Where a number comes from. A measured one beats all others.
enum class LinkSource { kMeasured, kDriver, kTable, kInferred };

enum class Medium { kPcie, kNvlink, kXgmi, kC2c, kXelink, kSocket };

/// A pair of devices: "gpu0"-"gpu1", "gpu0"-"nic2", "gpu0"-"numa1". Undirected; a < b in the order
/// gpu, nic, numa, then by number.
struct Link {
  std::string a, b;
  Level level = Level::kUnknown;
  int count = 0;               // direct links joined (the # of NV#)
  Medium medium = Medium::kPcie;
  std::optional<double> gbs;
  LinkSource source = LinkSource::kInferred;
  std::string note;            // "trunk inferred", "reported by the hypervisor"

  /// "NV4", "PIX", "SYS", "X".
  std::string word() const;

  bool operator==(const Link&) const = default;
};

/// A matrix of distances or bandwidths as its source gave it.
struct Distances {
  std::string name;                 // "NUMALatency", "NVLinkBandwidth"; may be empty
  int kind = 0;                     // hwloc's bits
  std::vector<std::string> labels;  // "NUMANode:0", "nvml0", "pci:0000:65:00.0"
  std::vector<int> objects;         // where known, the same as indexes of Topology::objects
  std::vector<uint64_t> values;     // [n, n], rows first

  bool operator==(const Distances&) const = default;
};

// ---- The machine --------------------------------------------------------------------------------

/// Cores of one sort; `efficiency` 0 is the most economical, -1 unknown.
struct CpuKind {
  int efficiency = -1;
  Bitset cpuset;
  Infos infos;

  bool operator==(const CpuKind&) const = default;
};

/// What bounds this process on this machine.
struct Limits {
  std::string cgroup_version;             // "v2", "v1", ""
  std::string cgroup_path;
  std::optional<Bitset> cpuset, memory_nodes;  // cpuset controller
  std::optional<Bitset> affinity;              // sched_getaffinity
  std::optional<double> cpu_quota;             // processors' worth of time
  int effective_cpus = 0;                      // min(CPUs allowed, max(1, floor(quota))); 0: unknown
  std::optional<uint64_t> memory_max, memory_high, memory_current, swap_max, memory_available;
  std::optional<uint64_t> throttled_usec, throttled_periods, oom_kills, pids_max, memlock;
  bool outer_hidden = false;  // in a cgroup namespace: limits further out cannot be seen

  bool operator==(const Limits&) const = default;
};

/// Facts of the running system the doctor asks for; empty maps for an imported machine.
struct SystemFacts {
  std::string kernel, vendor, product, hypervisor;  // hypervisor: "" on bare metal
  std::string nvidia_driver, cuda_driver;
  std::map<std::string, std::string> settings;  // "transparent_hugepage", "numa_balancing", ...

  bool operator==(const SystemFacts&) const = default;
};

struct Warning {
  std::string code;  // "gpu_lost", "memory_unknown", "hypervisor"
  std::string text;

  bool operator==(const Warning&) const = default;
};

/// Where a topology came from.
struct Origin {
  std::string source;  // "hwloc", "nvidia_smi", "nccl", ...
  std::string input;   // file name, synthetic text; empty for this machine
  bool live = false;   // this machine, now: binding to it makes sense

  bool operator==(const Origin&) const = default;
};

struct Topology {
  Origin origin;
  std::string hostname;
  std::vector<Object> objects;  // parents before children; [0] is the machine, unless empty
  Bitset complete_cpuset, allowed_cpuset, allowed_nodeset;
  std::vector<CpuKind> cpu_kinds;
  std::vector<Distances> distances;
  std::vector<Gpu> gpus;
  std::vector<Nic> nics;
  std::vector<Disk> disks;
  int nvswitches = 0;
  std::vector<Link> links;
  Limits limits;
  SystemFacts system;
  std::vector<Warning> warnings;

  bool operator==(const Topology&) const = default;
};

// ---- Questions ----------------------------------------------------------------------------------

/// The objects of one type, in tree order.
std::vector<const Object*> objects_of(const Topology& topology, ObjectType type);
/// The children of objects[index], in order.
std::vector<int> children_of(const Topology& topology, int index);
/// Bytes of host memory: the sum over NUMA nodes that are not a GPU's. nullopt: unknown.
std::optional<uint64_t> host_memory(const Topology& topology);
/// The link between "gpu0" and "nic1", in either order; nullptr when none is known.
const Link* find_link(const Topology& topology, std::string_view a, std::string_view b);

std::string_view word(ObjectType type);  // "package", "numa", "pu"
std::string_view word(MemoryTier tier);  // "DRAM", "HBM", "GPU"
std::string_view word(Level level);      // "PIX", "SYS"; "NV" without its number
std::string_view word(LinkSource source);
std::string_view word(Medium medium);

}  // namespace aictl::topology

namespace aictl {
using topology::Topology;
}
