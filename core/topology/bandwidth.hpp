// The tables of reference section 5: what links and GPUs can do by name, where nobody measured.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace aictl::topology {

/// GB/s in one direction of a PCI Express link; nullopt for an unknown generation (1..6) or width.
std::optional<double> pcie_gbs(int generation, int width);
/// Generation of a lane's speed in GT/s (16.0 -> 4); 0: unknown.
int pcie_generation(double gigatransfers);

/// What a GPU model can do. Zero: unknown.
struct GpuSpec {
  std::string_view name;  // row of the table: "H100 SXM"
  double memory_gb = 0;   // 1e9 bytes, as sold
  double memory_gbs = 0;
  double bf16_tflops = 0;  // dense
  double fp8_tflops = 0;   // dense; 0: has none
  int nvlinks = 0;
  double nvlink_gbs = 0;     // one link, one direction
  double nccl_link_gbs = 0;  // what NCCL's model gives one link
  bool consumer = false;
};

/// The row for a product name such as "NVIDIA H100 80GB HBM3" or "Tesla V100-SXM3-32GB", or for
/// what people write: "h100-80gb", "a100 80GB", "rtx4090". nullptr when there is none.
const GpuSpec* gpu_spec(std::string_view model);
/// The names of the rows, sorted; each finds its own row.
std::vector<std::string_view> gpu_names();

/// GB/s of the interconnect between sockets for a CPU model name: what NCCL assumes for SYS paths.
double socket_gbs(std::string_view cpu_model);
/// The same by what CPUID says, for dumps without a name: vendor "GenuineIntel", family 6, model
/// 143.
double socket_gbs(std::string_view vendor, int family, int model);

}  // namespace aictl::topology
