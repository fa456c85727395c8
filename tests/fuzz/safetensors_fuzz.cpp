// Any bytes as a safetensors file, and as a config.json: tensors and a shape, or an error that says
// something; no read outside the input.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "core/placement/model/hf_config.hpp"
#include "core/placement/model/safetensors.hpp"

using namespace aictl;
using namespace aictl::placement;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto tensors = parse_safetensors(bytes, size, "fuzz.safetensors");
  if (!tensors && tensors.error().message.empty()) std::abort();
  if (tensors)
    for (const StoredTensor& tensor : *tensors)
      if (tensor.bytes > size) std::abort();
  const auto tree = parse_json({reinterpret_cast<const char*>(data), size});
  if (!tree) return 0;
  const auto shape = shape_from_config(*tree, "fuzz.json", "");
  if (!shape) {
    if (shape.error().message.empty()) std::abort();
    return 0;
  }
  if (kv_formula(*shape, 2).empty() || !(kv_bytes(*shape, 4096, 2) >= 0)) std::abort();
  return 0;
}
