// An NCCL topology file of anybody: it reads or is refused; what reads can be written, and what is
// written reads back with the same GPUs.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/topology/devices.hpp"
#include "core/topology/xml/nccl.hpp"
#include "plugins/topology/nccl/nccl.hpp"

namespace {

void require(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const aictl::NcclSource source;
  source.recognises(text);
  auto topology = source.import(text, {});
  if (!topology) {
    require(!topology.error().message.empty() && topology.error().message.size() < 1000);
    return 0;
  }
  aictl::topology::finish(*topology);
  const auto written = aictl::topology::to_nccl_xml(*topology);
  if (!written) return 0;  // no GPU in it
  auto again = source.import(*written, {});
  require(again.ok());
  aictl::topology::finish(*again);
  require(again->gpus.size() == topology->gpus.size());
  return 0;
}
