// Any bytes as a model file: parsed, understood, described, a row of each tensor decoded. Must end
// in a model or an error, without reads outside the input and without allocating beyond its size.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "plugins/services/inference/load/model.hpp"

using namespace aictl;
using namespace aictl::inference;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto file = Gguf::parse(bytes, "fuzz.gguf");
  if (!file) {
    if (file.error().message.empty()) std::abort();
    return 0;
  }
  for (const GgufEntry& entry : file->entries()) {
    if (entry.value.describe().empty()) std::abort();
    if (entry.value.count > 65536) continue;
    (void)file->texts(entry.key);
    (void)file->numbers(entry.key);
    (void)file->integers(entry.key);
    (void)file->integer(entry.key, 0, INT32_MAX);
  }
  const auto model = Model::parse(bytes, "fuzz.gguf");
  if (!model) {
    if (model.error().message.empty()) std::abort();
    return 0;
  }
  if (model->describe().empty() || model->fingerprint().size() != 32) std::abort();
  (void)model->verify();
  return 0;
}
