// A server put together by hand: packages with memory, an L3, cores of two CPUs; GPUs beside them.
#pragma once

#include <string>

#include <fmt/format.h>

#include "core/topology/topology.hpp"

namespace aictl::topology {

class MadeServer {
 public:
  MadeServer(int packages, int cores, int gpus) {
    topology.hostname = "made";
    topology.objects.emplace_back();
    for (int i = 0; i < packages; ++i) add_package(i, cores);
    Object& machine = topology.objects[0];
    machine.complete_cpuset = machine.cpuset;
    machine.complete_nodeset = machine.nodeset;
    topology.complete_cpuset = topology.allowed_cpuset = machine.cpuset;
    topology.allowed_nodeset = machine.nodeset;
    for (int i = 0; i < gpus; ++i) add_gpu(i, i * packages / gpus);
  }

  /// Every pair of GPUs alike.
  void link_all(Level level, int count, double gbs) {
    for (size_t a = 0; a < topology.gpus.size(); ++a)
      for (size_t b = a + 1; b < topology.gpus.size(); ++b) {
        Link link;
        link.a = fmt::format("gpu{}", a), link.b = fmt::format("gpu{}", b);
        link.level = level, link.count = count, link.gbs = gbs;
        link.medium = level == Level::kNv ? Medium::kNvlink : Medium::kPcie;
        link.source = LinkSource::kTable;
        topology.links.push_back(link);
      }
  }

  Topology topology;

 private:
  int add(Object object) {
    topology.objects.push_back(std::move(object));
    return int(topology.objects.size()) - 1;
  }

  Object part(ObjectType type, int parent, int os_index, const Bitset& cpus, int node) {
    Object object;
    object.type = type;
    object.parent = parent;
    object.os_index = os_index;
    object.cpuset = object.complete_cpuset = cpus;
    object.nodeset.set(node);
    object.complete_nodeset = object.nodeset;
    return object;
  }

  void add_package(int number, int cores) {
    Bitset cpus;
    for (int i = 0; i < cores * 2; ++i) cpus.set(number * cores * 2 + i);
    Object package = part(ObjectType::kPackage, 0, number, cpus, number);
    package.infos = {{"CPUModel", "Test(R) Processor CPU 9000"}};
    const int home = add(package);
    Object memory = part(ObjectType::kNuma, home, number, cpus, number);
    memory.bytes = uint64_t{64} << 30;
    memory.tier = MemoryTier::kDram;
    memory.pages = {{4096, 1000}, {uint64_t{2} << 20, 512}};
    add(memory);
    Object cache = part(ObjectType::kCache, home, -1, cpus, number);
    cache.level = 3, cache.bytes = uint64_t{32} << 20;
    const int l3 = add(cache);
    for (int i = 0; i < cores; ++i) add_core(l3, number * cores + i, number);
    topology.objects[0].cpuset = topology.objects[0].cpuset | cpus;
    topology.objects[0].nodeset.set(number);
  }

  void add_core(int parent, int number, int node) {
    Bitset cpus;
    cpus.set(number * 2), cpus.set(number * 2 + 1);
    Object core = part(ObjectType::kCore, parent, number, cpus, node);
    core.logical_index = number;
    const int home = add(core);
    for (const int cpu : cpus.indexes()) {
      Bitset one;
      one.set(cpu);
      add(part(ObjectType::kPu, home, cpu, one, node));
    }
  }

  void add_gpu(int number, int package) {
    Gpu gpu;
    gpu.index = number;
    gpu.vendor = "NVIDIA";
    gpu.model = "NVIDIA H100 80GB HBM3";
    gpu.uuid = fmt::format("GPU-{}", number);
    gpu.architecture = "Hopper";
    gpu.compute_capability = "9.0";
    gpu.memory_bytes = uint64_t{80} << 30;
    gpu.pcie_gbs = 63;
    gpu.nodeset.set(package);
    for (const Object& object : topology.objects)
      if (object.type == ObjectType::kPackage && object.os_index == package)
        gpu.cpuset = object.cpuset;
    topology.gpus.push_back(gpu);
  }
};

}  // namespace aictl::topology
