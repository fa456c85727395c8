// Any bytes as the JSON of a topology; what reads is written and read again, equal.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/topology/json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto tree = aictl::parse_json({reinterpret_cast<const char*>(data), size});
  if (!tree) return 0;
  const auto topology = aictl::topology::from_json(*tree);
  if (!topology) return 0;
  const auto again = aictl::topology::from_json(aictl::topology::to_json(*topology));
  if (!again || *again != *topology) std::abort();
  return 0;
}
