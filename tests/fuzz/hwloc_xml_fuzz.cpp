// Any bytes as an hwloc XML: read, or refused; libhwloc never sees what could make it abort.
#include <cstdint>
#include <string_view>

#include "plugins/topology/hwloc/hwloc.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)aictl::HwlocSource().import({reinterpret_cast<const char*>(data), size}, {});
  return 0;
}
