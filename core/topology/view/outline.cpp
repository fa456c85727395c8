#include "core/topology/view/outline.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "core/topology/cpusets/kinds.hpp"
#include "core/topology/view/words.hpp"

namespace aictl::topology::view {
namespace {

using Kind = Part::Kind;

constexpr int kDeepest = 64;  // no machine nests deeper; a hostile file may

bool is_structure(ObjectType type) {
  return type == ObjectType::kPackage || type == ObjectType::kDie || type == ObjectType::kGroup ||
         type == ObjectType::kCache || type == ObjectType::kCore || type == ObjectType::kPu;
}

class Builder {
 public:
  Builder(const Topology& topology, const OutlineOptions& options)
      : topology_(topology),
        options_(options),
        economical_(economical_cpus(topology)),
        memory_known_(host_memory(topology).has_value()) {
    for (size_t i = 0; i < topology.objects.size(); ++i)
      if (const int parent = topology.objects[i].parent; parent >= 0)
        children_[parent].push_back(int(i));
  }

  Part machine() {
    Part root;
    root.noun = "machine";
    if (!topology_.objects.empty()) {
      root.cpus = topology_.objects[0].cpuset;
      fill(root, 0, 0);
    }
    return root;
  }

 private:
  const Object& object(int index) const { return topology_.objects[size_t(index)]; }

  std::vector<int> structure_below(int index) const {
    std::vector<int> found;
    if (const auto at = children_.find(index); at != children_.end())
      for (const int child : at->second)
        if (is_structure(object(child).type)) found.push_back(child);
    return found;
  }

  /// Adds what stands below object `index` to `part`: memory, then structure. A lone cache, die or
  /// group is no box of its own: it becomes a word of its parent.
  void fill(Part& part, int index, int depth) {
    add_memory(part, index, "");
    const std::vector<int> below = structure_below(index);
    if (depth >= kDeepest) return;
    if (below.size() == 1 && is_shell(object(below[0]))) {
      const Object& only = object(below[0]);
      if (only.type == ObjectType::kCache) add_cache_word(part.cache, only);
      return fill(part, below[0], depth + 1);
    }
    for (const int child : below) part.parts.push_back(build(child, depth + 1));
    group_by_memory(part.parts);
    for (const Part& child : part.parts) part.nodes = part.nodes | child.nodes;
  }

  /// Where memory nodes stand side by side and share no CPUs, as in tables that tell of nothing
  /// between machine and CPU, each node takes in the parts that have its CPUs.
  static void group_by_memory(std::vector<Part>& parts) {
    Bitset seen;
    size_t nodes = 0;
    for (const Part& part : parts) {
      if (part.kind != Kind::kMemory || part.cpus.empty()) continue;
      if (part.cpus.intersects(seen)) return;
      seen = seen | part.cpus;
      ++nodes;
    }
    if (nodes < 2) return;
    std::vector<Part> rest;
    for (Part& part : parts) {
      const auto home = std::find_if(parts.begin(), parts.end(), [&](const Part& node) {
        return node.kind == Kind::kMemory && !node.cpus.empty() && node.cpus.contains(part.cpus);
      });
      if (part.kind != Kind::kMemory && !part.cpus.empty() && home != parts.end())
        home->parts.push_back(std::move(part)), part.kind = Kind::kMachine;
    }
    for (Part& part : parts)
      if (part.kind != Kind::kMachine) rest.push_back(std::move(part));
    parts = std::move(rest);
  }

  bool is_shell(const Object& object) const {
    return object.type == ObjectType::kCache || object.type == ObjectType::kDie ||
           object.type == ObjectType::kGroup;
  }

  void add_memory(Part& part, int index, const std::string& behind) {
    const auto at = children_.find(index);
    if (at == children_.end()) return;
    for (const int child : at->second) {
      const Object& node = object(child);
      if (node.type == ObjectType::kMemCache) {
        add_memory(part, child,
                   fmt::format(", behind {} of memory-side cache", size_text(node.bytes)));
      } else if (node.type == ObjectType::kNuma) {
        Part memory;
        memory.kind = Kind::kMemory;
        memory.noun = "numa";
        memory.numbers = {node.os_index};
        const std::string tier = tier_text(node);
        if (node.bytes > 0 || memory_known_) memory.text = size_text(node.bytes);
        if (!tier.empty()) memory.text += (memory.text.empty() ? "" : " ") + tier;
        memory.text += behind;
        if (node.cpuset.empty())
          memory.text += (memory.text.empty() ? "" : ", ") + std::string("no CPUs");
        if (node.os_index >= 0) memory.nodes.set(node.os_index);
        memory.cpus = node.cpuset;
        part.nodes = part.nodes | memory.nodes;
        part.parts.push_back(std::move(memory));
      }
    }
  }

  void add_cache_word(std::string& text, const Object& cache) const {
    if (cache.cache_type == CacheType::kInstruction) return;  // it never decides anything
    if (!text.empty()) text += ", ";
    text += cache_name(cache);
    if (cache.bytes > 0) text += " " + size_text(cache.bytes);
  }

  /// The core at the end of a chain of only children, with the caches on the way; -1: no chain.
  int lone_core(int index, std::string& caches) const {
    for (int depth = 0; depth < kDeepest; ++depth) {
      if (object(index).type == ObjectType::kCore) return index;
      if (object(index).type != ObjectType::kCache) return -1;
      add_cache_word(caches, object(index));
      const std::vector<int> below = structure_below(index);
      if (below.size() != 1) return -1;
      index = below[0];
    }
    return -1;
  }

  Part core(int index, std::string caches) const {
    const Object& core = object(index);
    Part part;
    part.kind = Kind::kCore;
    part.noun = "core";
    if (!economical_.empty())
      part.noun = economical_.intersects(core.cpuset) ? "efficiency core" : "performance core";
    if (options_.caches) part.text = std::move(caches);
    part.numbers = {core.logical_index >= 0 ? core.logical_index : core.os_index};
    part.cpus = core.cpuset;
    part.pus = core.cpuset.count();
    return part;
  }

  Part build(int index, int depth) {
    const Object& object = this->object(index);
    std::string caches;
    if (const int core = lone_core(index, caches); core >= 0)
      return this->core(core, std::move(caches));
    Part part;
    part.numbers = {object.os_index >= 0 ? object.os_index : object.logical_index};
    part.cpus = object.cpuset;
    switch (object.type) {
      case ObjectType::kPackage:
        part.kind = Kind::kPackage, part.noun = "package";
        part.text = cpu_model(topology_, object);
        break;
      case ObjectType::kDie:
        part.kind = Kind::kDie, part.noun = "die";
        break;
      case ObjectType::kCache:
        part.kind = Kind::kCache, part.noun = cache_name(object) + " cache";
        part.numbers = {object.logical_index};
        part.text = object.bytes > 0 ? size_text(object.bytes) : "";
        break;
      case ObjectType::kPu:
        part.kind = Kind::kPu, part.noun = "PU";
        return part;
      default:
        part.kind = Kind::kGroup;
        part.noun = object.subtype.empty() ? "group" : shown(object.subtype, 16);
        if (part.noun == "Cluster") part.noun = "cluster";
        part.numbers = {object.logical_index};
    }
    fill(part, index, depth);
    return part;
  }

  const Topology& topology_;
  const OutlineOptions& options_;
  const Bitset economical_;
  const bool memory_known_;
  std::map<int, std::vector<int>> children_;
};

/// The devices of the machine as parts, and the sets of CPUs and nodes they are near to.
struct Device {
  Part part;
  const Bitset* cpuset;
  const Bitset* nodeset;
};

Part device_part(std::string noun, std::string name, std::string text) {
  Part part;
  part.kind = Kind::kDevice;
  part.noun = std::move(noun);
  part.text = std::move(text);
  part.names = {std::move(name)};
  return part;
}

std::vector<Device> devices_of(const Topology& topology) {
  std::vector<Device> out;
  for (const Gpu& gpu : topology.gpus)
    out.push_back({device_part("gpu", fmt::format("gpu{}", gpu.index), gpu_text(gpu)), &gpu.cpuset,
                   &gpu.nodeset});
  for (const Nic& nic : topology.nics)
    out.push_back({device_part("nic", nic.name, nic_text(nic)), &nic.cpuset, &nic.nodeset});
  for (const Disk& disk : topology.disks)
    out.push_back({device_part("disk", disk.name, disk_text(disk)), &disk.cpuset, &disk.nodeset});
  return out;
}

/// Whether devices can stand inside: cores cannot hold any, nor memory that has no parts itself.
bool can_hold(const Part& part) {
  if (part.kind == Kind::kMemory) return !part.parts.empty();
  return part.kind != Kind::kCore && part.kind != Kind::kPu && part.kind != Kind::kDevice;
}

/// The smallest part that has all CPUs of `cpus`.
Part& home_of(Part& machine, const Bitset& cpus) {
  Part* home = &machine;
  for (bool deeper = !cpus.empty(); deeper;) {
    deeper = false;
    for (Part& part : home->parts)
      if (can_hold(part) && part.cpus.contains(cpus)) {
        home = &part;
        deeper = true;
        break;
      }
  }
  return *home;
}

void attach_devices(Part& machine, const Topology& topology) {
  for (Device& device : devices_of(topology)) {
    Part& home = home_of(machine, *device.cpuset);
    const Bitset& near = *device.nodeset;
    if (!near.empty() && near != home.nodes && machine.nodes.count() > 1)
      device.part.text += ", near numa " + near.list();
    home.parts.push_back(std::move(device.part));
  }
}

std::string fingerprint(const Part& part, bool fold_devices) {
  std::string out =
      fmt::format("{}|{}|{}|{}|{}|", part.noun, part.text, part.cache, part.times, part.pus);
  if (part.kind == Kind::kDevice && !fold_devices)
    for (const std::string& name : part.names) out += name + ",";
  out += '(';
  for (const Part& below : part.parts) out += fingerprint(below, fold_devices);
  return out + ')';
}

/// Takes `other` into `part`, which is alike; `times` counts within one parent.
void join(Part& part, Part& other) {
  part.numbers.insert(part.numbers.end(), other.numbers.begin(), other.numbers.end());
  part.names.insert(part.names.end(), other.names.begin(), other.names.end());
  part.cpus = part.cpus | other.cpus;
  part.nodes = part.nodes | other.nodes;
  for (size_t i = 0; i < part.parts.size(); ++i) join(part.parts[i], other.parts[i]);
}

}  // namespace

void fold(std::vector<Part>& parts, bool fold_devices) {
  std::vector<Part> folded;
  std::map<std::string, size_t> seen;
  for (Part& part : parts) {
    fold(part.parts, fold_devices);
    // Devices side by side fold by what they are; it is only apart from each other that names
    // count.
    const auto [at, added] =
        seen.emplace(fingerprint(part, fold_devices || part.kind == Kind::kDevice), folded.size());
    if (added) {
      folded.push_back(std::move(part));
    } else {
      join(folded[at->second], part);
      folded[at->second].times += part.times;
    }
  }
  parts = std::move(folded);
}

Part outline(const Topology& topology, const OutlineOptions& options) {
  Part machine = Builder(topology, options).machine();
  if (options.devices) attach_devices(machine, topology);
  if (options.folded) fold(machine.parts, options.fold_devices);
  return machine;
}

std::vector<Part> device_list(const Topology& topology) {
  std::vector<Part> out;
  for (Device& device : devices_of(topology)) out.push_back(std::move(device.part));
  fold(out, true);
  return out;
}

}  // namespace aictl::topology::view
