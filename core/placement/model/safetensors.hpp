// The header of safetensors files: names, types, shapes and places of tensors. Weights are never
// read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/placement/model/shape.hpp"

namespace aictl::placement {

struct StoredTensor {
  std::string name, dtype;
  std::vector<uint64_t> dims;
  uint64_t elements = 1, bytes = 0;
};

/// Longest header that is read.
inline constexpr uint64_t kMaxSafetensorsHeader = uint64_t{32} << 20;

/// Reads the header at the start of a file of `file_bytes` bytes, of which `front` is at least the
/// header. Every tensor lies inside the file, has the size its type and shape say, and shares no
/// byte with another. Errors: kDataRefused naming `place`, tensor, what was found and expected.
Result<std::vector<StoredTensor>> parse_safetensors(std::span<const std::byte> front,
                                                    uint64_t file_bytes, std::string_view place);

/// The shape of a model in a folder with config.json and *.safetensors, or of one such file beside
/// its config.json (all parts, when it is part of several); `config` overrides where config.json
/// is, and may be empty. Errors: kNotFound, kIo; kDataRefused as above and as shape_from_config.
Result<ModelShape> shape_from_safetensors(const std::filesystem::path& path,
                                          const std::filesystem::path& config);

}  // namespace aictl::placement
