// Any text as a machine in hwloc's words: it is made, within bounds, or refused in few words.
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/topology/json.hpp"
#include "plugins/topology/hwloc/hwloc.hpp"

namespace {

void require(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace

// libhwloc forgets what it has read of a text that it refuses in the middle.
extern "C" const char* __lsan_default_suppressions() { return "leak:libhwloc"; }

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string words(reinterpret_cast<const char*>(data), size);
  const auto made = aictl::HwlocSource().synthesise(words);
  if (!made) {
    require(!made.error().message.empty() && made.error().message.size() < 1000);
    return 0;
  }
  require(made->has_value() && (*made)->objects.size() < 200000);
  const auto again = aictl::topology::from_json(aictl::topology::to_json(**made));
  require(again.ok() && *again == **made);
  return 0;
}
