// How the views write sizes, speeds, devices and limits, so that all of them say it alike.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/topology/topology.hpp"

namespace aictl::topology::view {

/// "755.3 GiB", "32 KiB", "48 B"; "size unknown" for 0.
std::string size_text(uint64_t bytes);
/// "150 GB/s", "15.8 GB/s"; "unknown" for nullopt.
std::string speed_text(std::optional<double> gbs);
/// "12.5" of 12.5, "150" of 150.2: three digits.
std::string number_text(double value);
/// `text` in at most `width` columns, with "..." where it was cut; control characters and bytes
/// that are not UTF-8 show as "?".
std::string shown(std::string_view text, size_t width = 1000);

/// "Tesla V100-SXM3-32GB, 32 GiB, MIG on": what a GPU is; never empty.
std::string gpu_text(const Gpu& gpu);
/// "infiniband 25 GB/s down": what a network port is, without its name.
std::string nic_text(const Nic& nic);
/// "nvme 1.7 TiB"
std::string disk_text(const Disk& disk);
/// "DRAM", "HBM (GPU memory)", "NVM"; empty where it is unknown.
std::string tier_text(const Object& node);
/// "L3", "L1d", "L2"
std::string cache_name(const Object& cache);
/// The processor's name a package (or the machine) carries; empty when it has none.
std::string cpu_model(const Topology& topology, const Object& package);

/// Its host name, else the file or the words it was read from, else "machine".
std::string machine_name(const Topology& topology);
/// The machine in a line: "2 packages, 48 cores, 96 CPUs, 377.5 GiB, 8 GPUs".
std::string machine_text(const Topology& topology);
/// What bounds us, a sentence each: "6 of 32 CPUs allowed: 0,4-8". Empty where nothing does.
std::vector<std::string> limit_texts(const Topology& topology);

/// "NVLink", "XGMI", "PCIe": as people write it.
std::string_view medium_text(Medium medium);
/// "3 cores", "1 core".
std::string counted(size_t count, std::string_view noun);

}  // namespace aictl::topology::view
