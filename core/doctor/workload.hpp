// What runs, or shall run, on the machine, as far as the doctor asks: the process, its weights, its
// threads, its GPUs, the kubelet around it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/topology/bitset.hpp"

namespace aictl::doctor {

/// Where a process runs and where its memory lies.
struct Process {
  int pid = 0;
  std::string command;
  int threads = 0;
  topology::Bitset cpus;                           // it may run on
  std::map<int, uint64_t> bytes_on_node;           // its pages by NUMA node
  std::map<std::string, std::string> environment;  // CUDA_* alone
};

/// The model's files.
struct Weights {
  std::string path;
  uint64_t bytes = 0;
  std::string filesystem;   // "ext4", "nfs4"
  std::string device;       // "nvme0n1"; empty: unknown, or no disk
  std::optional<int> node;  // NUMA node of that disk
};

/// The kubelet's settings that decide about alignment.
struct Kubelet {
  std::string policy = "none";  // topologyManagerPolicy
  int max_numa_nodes = 8;       // max-allowable-numa-nodes
};

/// What reading memory reaches, measured.
struct MemoryReads {
  double gbs = 0;  // 1e9 bytes a second, all threads
  int threads = 1;
};

struct Workload {
  std::vector<int> tp_group;   // indexes of GPUs; empty: none
  std::optional<int> threads;  // of a CPU engine
  bool pinned = false;         // the engine is bound to CPUs
  std::optional<Process> process;
  std::optional<Weights> weights;
  std::optional<Kubelet> kubelet;
  std::optional<MemoryReads> reads;
  std::map<std::string, std::string> environment;  // what the engine will see
};

/// Reads /proc/PID. Errors: kNotFound when there is none, kForbidden when it is another user's.
Result<Process> read_process(int pid, const std::filesystem::path& proc = "/proc");

/// Size of a file, or of the .gguf and .safetensors in a folder, and the disk it is on. Errors:
/// kNotFound, kIo; kInvalidArgument for a folder without weights.
Result<Weights> read_weights(const std::filesystem::path& path,
                             const std::filesystem::path& root = "/");

/// Reads a kubelet's configuration (KubeletConfiguration, YAML). Errors: kNotFound, kIo,
/// kDataRefused.
Result<Kubelet> read_kubelet(const std::filesystem::path& file);

/// Bytes a node holds, by the lines of numa_maps. Lines that do not read count nothing.
std::map<int, uint64_t> bytes_by_node(std::string_view numa_maps);

}  // namespace aictl::doctor
