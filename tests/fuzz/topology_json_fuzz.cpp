// Any bytes as the JSON of a topology; what reads is written and read again, equal: as JSON, and as
// hwloc's XML, whatever hwloc thinks of such a machine.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/topology/json.hpp"
#include "core/topology/xml/hwloc.hpp"
#include "plugins/topology/hwloc/hwloc.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto tree = aictl::parse_json({reinterpret_cast<const char*>(data), size});
  if (!tree) return 0;
  const auto topology = aictl::topology::from_json(*tree);
  if (!topology) return 0;
  const auto again = aictl::topology::from_json(aictl::topology::to_json(*topology));
  if (!again || *again != *topology) std::abort();
  const auto read = [](const std::string& xml) { return aictl::HwlocSource().import(xml, {}); };
  const auto xml = aictl::topology::to_hwloc_xml(*topology, read);
  if (!xml) std::abort();
  const auto back = read(*xml);
  if (!back || *back != *topology) std::abort();
  return 0;
}
