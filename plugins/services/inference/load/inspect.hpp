// What a GGUF file says, as a tree: metadata and the tensor table, of any architecture.
#pragma once

#include "core/value/json.hpp"
#include "plugins/services/inference/load/gguf.hpp"

namespace aictl::inference {

/// Keys: file, format, architecture ("" when the file names none), file_bytes, weight_bytes,
/// parameters, metadata{key: value}, tensors[{name, type, dims, elements, bytes}]. Arrays of more
/// than 4096 elements and arrays of strings are told by type and count, long strings cut.
Json inspect(const Gguf& file);

}  // namespace aictl::inference
