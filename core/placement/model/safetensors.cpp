#include "core/placement/model/safetensors.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "core/base/file.hpp"
#include "core/placement/model/formats.hpp"
#include "core/placement/model/hf_config.hpp"
#include "core/value/json.hpp"

namespace aictl::placement {
namespace {

constexpr size_t kMaxParts = 4096, kMaxDims = 16;

// Bits an element takes, by the format's names.
std::optional<uint64_t> dtype_bits(std::string_view name) {
  if (name == "F64" || name == "I64" || name == "U64" || name == "C64") return 64;
  if (name == "F32" || name == "I32" || name == "U32") return 32;
  if (name == "F16" || name == "BF16" || name == "I16" || name == "U16") return 16;
  if (name == "BOOL" || name == "I8" || name == "U8" || name.starts_with("F8_")) return 8;
  if (name == "F4") return 4;
  return std::nullopt;
}

struct Extent {
  uint64_t begin, end;
  size_t tensor;
};

Error refuse(std::string_view place, const std::string& what) {
  return {ErrorCode::kDataRefused, fmt::format("{}: {}", place, what),
          "the file is damaged or no safetensors file; fetch it again"};
}

Error refuse(std::string_view place, std::string_view tensor, const std::string& what) {
  return refuse(place, fmt::format("tensor '{}': {}", tensor.substr(0, 128), what));
}

std::optional<uint64_t> unsigned_value(const Json& value) {
  if (!value.is_number_unsigned()) return std::nullopt;
  return value.get<uint64_t>();
}

// One row of the header: {"dtype", "shape", "data_offsets"}.
Result<std::pair<StoredTensor, Extent>> read_row(const std::string& name, const Json& row,
                                                 uint64_t data_bytes, std::string_view place) {
  const auto absent = [&](const char* key) {
    return refuse(place, name, fmt::format("key '{}' is missing or of the wrong type", key));
  };
  if (!row.is_object()) return refuse(place, name, "found no object");
  const auto dtype = row.find("dtype"), dims = row.find("shape"), at = row.find("data_offsets");
  if (dtype == row.end() || !dtype->is_string()) return absent("dtype");
  if (dims == row.end() || !dims->is_array() || dims->size() > kMaxDims) return absent("shape");
  if (at == row.end() || !at->is_array() || at->size() != 2) return absent("data_offsets");
  StoredTensor tensor;
  tensor.name = name;
  tensor.dtype = dtype->get<std::string>();
  const auto bits = dtype_bits(tensor.dtype);
  if (!bits)
    return refuse(place, name, fmt::format("dtype '{}' is unknown", tensor.dtype.substr(0, 32)));
  for (const Json& dim : *dims) {
    const auto size = unsigned_value(dim);
    if (!size || __builtin_mul_overflow(tensor.elements, *size, &tensor.elements))
      return refuse(place, name,
                    fmt::format("shape {} is not a size", dump_json(*dims).substr(0, 64)));
    tensor.dims.push_back(*size);
  }
  const auto begin = unsigned_value((*at)[0]), end = unsigned_value((*at)[1]);
  if (!begin || !end || *begin > *end || *end > data_bytes)
    return refuse(place, name,
                  fmt::format("data_offsets {} are not inside the {} bytes of data",
                              dump_json(*at).substr(0, 64), data_bytes));
  uint64_t wide = 0;
  if (__builtin_mul_overflow(tensor.elements, *bits, &wide) || (wide + 7) / 8 != *end - *begin)
    return refuse(place, name,
                  fmt::format("has {} bytes, expected {} elements of {} bits", *end - *begin,
                              tensor.elements, *bits));
  tensor.bytes = *end - *begin;
  return std::pair{std::move(tensor), Extent{*begin, *end, 0}};
}

bool is_replicated(const StoredTensor& tensor) {
  const std::string& name = tensor.name;
  return tensor.dims.size() < 2 || name.find(".gate.weight") != name.npos ||
         name.find("router") != name.npos || name.find("vision") != name.npos;
}

struct Sums {
  uint64_t table_bytes = 0, elements = 0, expert_elements = 0;
  bool has_head = false, packed = false;
  std::map<std::string, uint64_t> by_type;
};

void add_tensor(const StoredTensor& tensor, ModelShape& s, Sums& sums) {
  const std::string& name = tensor.name;
  s.weight_bytes += tensor.bytes;
  sums.elements += tensor.elements;
  sums.by_type[tensor.dtype] += tensor.bytes;
  sums.packed |= name.ends_with("qweight") || name.ends_with("weight_packed");
  if (name.find(".experts.") != name.npos) {
    s.expert_bytes += tensor.bytes;
    sums.expert_elements += tensor.elements;
  } else if (is_replicated(tensor)) {
    s.replicated_bytes += tensor.bytes;
  }
  if (name.ends_with("embed_tokens.weight")) sums.table_bytes = tensor.bytes;
  if (name.ends_with("lm_head.weight")) sums.has_head = true;
}

std::string quant_of(const Sums& sums, const std::string& configured) {
  if (sums.packed) return configured;
  std::string main;
  uint64_t most = 0;
  for (const auto& [type, bytes] : sums.by_type)
    if (bytes > most) main = type, most = bytes;
  return main.starts_with("F8_") ? "FP8" : canonical_quant(main).empty() ? configured : main;
}

Result<std::vector<std::filesystem::path>> parts_of(const std::filesystem::path& path) {
  namespace fs = std::filesystem;
  std::error_code failed;
  std::vector<fs::path> parts;
  const bool folder = fs::is_directory(path, failed);
  if (!folder && path.filename().string().find("-of-") == std::string::npos)
    return std::vector{path};
  const fs::path where = folder ? path : path.parent_path();
  fs::directory_iterator entries(where.empty() ? fs::path(".") : where, failed);
  for (; !failed && entries != fs::directory_iterator() && parts.size() <= kMaxParts;
       entries.increment(failed))
    if (entries->path().extension() == ".safetensors") parts.push_back(entries->path());
  if (failed) return errno_error(fmt::format("reading {}", where.string()), failed.value());
  if (parts.empty() || parts.size() > kMaxParts)
    return Error{ErrorCode::kDataRefused,
                 fmt::format("{} has {} *.safetensors files, expected 1..{}", where.string(),
                             parts.size(), kMaxParts),
                 ""};
  std::ranges::sort(parts);
  return parts;
}

}  // namespace

Result<std::vector<StoredTensor>> parse_safetensors(std::span<const std::byte> front,
                                                    uint64_t file_bytes, std::string_view place) {
  uint64_t length = 0;
  if (front.size() < sizeof length || file_bytes < sizeof length)
    return refuse(place, fmt::format("has {} bytes, too few for a header", file_bytes));
  std::memcpy(&length, front.data(), sizeof length);
  if (length > kMaxSafetensorsHeader || length > file_bytes - sizeof length ||
      length > front.size() - sizeof length)
    return refuse(place, fmt::format("the header says it has {} bytes, of a file of {}, {} at most",
                                     length, file_bytes, kMaxSafetensorsHeader));
  const std::string_view text(reinterpret_cast<const char*>(front.data()) + sizeof length, length);
  auto header = parse_json(text, {.max_depth = 8});
  if (!header) return std::move(header).error().within(place);
  if (!header->is_object()) return refuse(place, "the header is no object");
  std::vector<StoredTensor> tensors;
  std::vector<Extent> extents;
  for (const auto& [name, row] : header->items()) {
    if (name == "__metadata__") continue;
    auto read = read_row(name, row, file_bytes - sizeof length - length, place);
    if (!read) return std::move(read).error();
    read->second.tensor = tensors.size();
    tensors.push_back(std::move(read->first));
    extents.push_back(read->second);
  }
  std::ranges::sort(extents, {}, [](const Extent& e) { return std::pair{e.begin, e.end}; });
  for (size_t i = 1; i < extents.size(); ++i)
    if (extents[i].begin < extents[i - 1].end)
      return refuse(
          place, tensors[extents[i].tensor].name,
          fmt::format("overlaps tensor '{}'", tensors[extents[i - 1].tensor].name.substr(0, 128)));
  return tensors;
}

Result<ModelShape> shape_from_safetensors(const std::filesystem::path& path,
                                          const std::filesystem::path& config) {
  auto parts = parts_of(path);
  if (!parts) return std::move(parts).error();
  const std::filesystem::path where =
      config.empty() ? parts->front().parent_path() / "config.json" : config;
  auto text = read_file(where);
  if (!text) {
    Error error = std::move(text).error();
    error.hint = "dimensions are not in *.safetensors; name the model's config.json by --config";
    return error;
  }
  auto tree = parse_json(*text);
  if (!tree) return std::move(tree).error().within(where.string());
  auto shape = shape_from_config(*tree, where.string(), "");
  if (!shape) return std::move(shape).error();
  shape->weight_bytes = shape->expert_bytes = shape->replicated_bytes = 0;
  Sums sums;
  for (const auto& part : *parts) {
    auto map = MappedFile::open(part);
    if (!map) return std::move(map).error();
    auto tensors = parse_safetensors(map->bytes(), map->bytes().size(), part.filename().string());
    if (!tensors) return std::move(tensors).error();
    for (const StoredTensor& tensor : *tensors) add_tensor(tensor, *shape, sums);
  }
  shape->exact = true;
  shape->source = "safetensors";
  shape->quant = quant_of(sums, shape->quant);
  shape->tied_head = !sums.has_head;
  shape->lookup_bytes = sums.has_head ? sums.table_bytes : 0;
  if (!sums.packed) {  // elements of packed tensors are no weights
    shape->parameters = sums.elements;
    shape->expert_parameters = sums.expert_elements;
  }
  return shape;
}

}  // namespace aictl::placement
