// Any bytes as a spec: read, or refused with places; what is read is written and read back equal.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/platform/spec/read.hpp"
#include "core/value/yaml.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace aictl::platform;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const SpecReading reading = check_platform(text, "fuzz.yaml");
  if (reading.platform.has_value() != reading.mistakes.empty()) std::abort();
  if (!reading.platform) return 0;
  const std::string written = aictl::dump_yaml(platform_tree(*reading.platform, false));
  const SpecReading again = check_platform(written, "fuzz.yaml");
  if (!again.platform || again.platform->digest != reading.platform->digest) std::abort();
  return 0;
}
