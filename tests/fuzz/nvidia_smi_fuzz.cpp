// Text that may hold a table of nvidia-smi: it reads or is refused, and what reads is whole: every
// link between devices that are there, a matrix as wide as it is high.
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string_view>
#include <vector>

#include "core/topology/devices.hpp"
#include "core/topology/groups.hpp"
#include "plugins/topology/nvidia_smi/nvidia_smi.hpp"

namespace {

// Never optimised away, unlike assert: a broken promise must stop the fuzzer.
void require(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const aictl::NvidiaSmiSource source;
  auto topology = source.import(text, {});
  if (!topology) {
    require(!topology.error().message.empty() && topology.error().message.size() < 1000);
    return 0;
  }
  require(source.recognises(text));
  aictl::topology::finish(*topology);
  std::vector<int> gpus(topology->gpus.size());
  std::iota(gpus.begin(), gpus.end(), 0);
  if (gpus.size() > 16) gpus.resize(16);  // the search of groups has a test of its own
  const aictl::Json matrix = aictl::topology::matrix_json(*topology, gpus);
  require(matrix["gpu_links"].size() == gpus.size());
  aictl::dump_json(matrix);
  return 0;
}
