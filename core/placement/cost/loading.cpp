#include "core/placement/cost/loading.hpp"

#include <algorithm>

namespace aictl::placement {

Loading loading_of(const ModelShape& shape, const Cut& cut, Engine engine, double pcie_gbs,
                   WeightSource source) {
  Loading loading;
  const double engine_gbs = facts(engine).load_gbs;
  const double device_gbs = pcie_gbs > 0 ? pcie_gbs * cut.ranks() : engine_gbs;
  const double memory_gbs = std::min(engine_gbs, device_gbs);
  const double disk_gbs = std::max(source.gbs, 0.01);
  const double bytes = double(shape.weight_bytes);
  loading.cold = bytes / (std::min(disk_gbs, memory_gbs) * 1e9);
  if (source.fits_memory || source.in_memory) loading.warm = bytes / (memory_gbs * 1e9);
  loading.limit = disk_gbs <= memory_gbs ? "disk" : device_gbs < engine_gbs ? "PCIe" : "engine";
  loading.source = std::move(source);
  return loading;
}

}  // namespace aictl::placement
