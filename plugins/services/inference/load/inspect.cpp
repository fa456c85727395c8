#include "plugins/services/inference/load/inspect.hpp"

#include <cmath>

#include <fmt/format.h>

#include "core/tensor/dtype.hpp"

namespace aictl::inference {
namespace {

constexpr uint64_t kMaxElements = 4096;
constexpr size_t kMaxText = 4096;

Json scalar(const GgufValue& value) {
  if (auto text = value.as_text()) return std::string(text->substr(0, kMaxText));
  if (auto truth = value.as_boolean()) return *truth;
  if (auto integer = value.as_integer()) return *integer;
  const auto number = value.as_number();
  if (number && std::isfinite(*number)) return *number;
  return value.describe();
}

Json value_json(const GgufValue& value) {
  if (value.type != GgufValueType::kArray) return scalar(value);
  const size_t size = width(value.element);
  if (size == 0 || value.count > kMaxElements)
    return {{"array_of", std::string(name(value.element))}, {"count", value.count}};
  Json out = Json::array();
  for (uint64_t i = 0; i < value.count; ++i)
    out.push_back(scalar({.type = value.element, .bytes = value.bytes.subspan(i * size, size)}));
  return out;
}

Json tensor_json(const FileTensor& tensor, uint64_t elements) {
  Json dims = Json::array();
  for (int i = 0; i < tensor.n_dims; ++i) dims.push_back(tensor.dims[size_t(i)]);
  return {{"name", std::string(tensor.name)},
          {"type", std::string(gguf_type_name(tensor.gguf_type))},
          {"dims", std::move(dims)},
          {"elements", elements},
          {"bytes", tensor.bytes}};
}

}  // namespace

Json inspect(const Gguf& file) {
  Json metadata = Json::object(), tensors = Json::array();
  for (const GgufEntry& entry : file.entries())
    metadata[std::string(entry.key)] = value_json(entry.value);
  uint64_t bytes = 0, parameters = 0;
  for (const FileTensor& tensor : file.tensors()) {
    const GgufType* type = gguf_type(tensor.gguf_type);
    // The parser has bounded the product by the file's size.
    const uint64_t elements =
        type ? tensor.bytes / uint64_t(type->bytes) * uint64_t(type->block) : 0;
    bytes += tensor.bytes;
    parameters += elements;
    tensors.push_back(tensor_json(tensor, elements));
  }
  const auto architecture = file.text_or("general.architecture", "");
  return {{"file", file.place()},
          {"format", fmt::format("GGUF v{}", file.version())},
          {"architecture", architecture ? std::string(*architecture) : ""},
          {"file_bytes", file.file_bytes()},
          {"weight_bytes", bytes},
          {"parameters", parameters},
          {"metadata", std::move(metadata)},
          {"tensors", std::move(tensors)}};
}

}  // namespace aictl::inference
