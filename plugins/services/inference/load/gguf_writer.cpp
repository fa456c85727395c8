#include "plugins/services/inference/load/gguf_writer.hpp"

#include <cstring>

#include "core/base/file.hpp"

namespace aictl::inference {
namespace {

template <typename T>
void put(std::string& out, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

void put_text(std::string& out, std::string_view text) {
  put(out, static_cast<uint64_t>(text.size()));
  out += text;
}

void pad(std::string& out, uint64_t alignment) {
  out.resize((out.size() + alignment - 1) / alignment * alignment);
}

}  // namespace

void GgufWriter::entry(std::string_view key, GgufValueType type) {
  put_text(metadata_, key);
  put(metadata_, static_cast<uint32_t>(type));
  ++entries_;
}

void GgufWriter::add_u32(std::string_view key, uint32_t value) {
  entry(key, GgufValueType::kU32);
  put(metadata_, value);
}

void GgufWriter::add_u64(std::string_view key, uint64_t value) {
  entry(key, GgufValueType::kU64);
  put(metadata_, value);
}

void GgufWriter::add_i32(std::string_view key, int32_t value) {
  entry(key, GgufValueType::kI32);
  put(metadata_, value);
}

void GgufWriter::add_f32(std::string_view key, float value) {
  entry(key, GgufValueType::kF32);
  put(metadata_, value);
}

void GgufWriter::add_bool(std::string_view key, bool value) {
  entry(key, GgufValueType::kBool);
  put(metadata_, static_cast<uint8_t>(value));
}

void GgufWriter::add_text(std::string_view key, std::string_view value) {
  entry(key, GgufValueType::kString);
  put_text(metadata_, value);
}

void GgufWriter::add_texts(std::string_view key, std::span<const std::string> values) {
  entry(key, GgufValueType::kArray);
  put(metadata_, static_cast<uint32_t>(GgufValueType::kString));
  put(metadata_, static_cast<uint64_t>(values.size()));
  for (const std::string& value : values) put_text(metadata_, value);
}

void GgufWriter::add_floats(std::string_view key, std::span<const float> values) {
  entry(key, GgufValueType::kArray);
  put(metadata_, static_cast<uint32_t>(GgufValueType::kF32));
  put(metadata_, static_cast<uint64_t>(values.size()));
  for (float value : values) put(metadata_, value);
}

void GgufWriter::add_ints(std::string_view key, std::span<const int32_t> values) {
  entry(key, GgufValueType::kArray);
  put(metadata_, static_cast<uint32_t>(GgufValueType::kI32));
  put(metadata_, static_cast<uint64_t>(values.size()));
  for (int32_t value : values) put(metadata_, value);
}

void GgufWriter::add_raw(std::string_view key, uint32_t type, std::string_view payload) {
  entry(key, static_cast<GgufValueType>(type));
  metadata_ += payload;
}

void GgufWriter::add_tensor(std::string_view name, std::vector<uint64_t> dims, uint32_t gguf_type,
                            std::string bytes) {
  tensors_.push_back({std::string(name), std::move(dims), gguf_type, std::move(bytes)});
}

void GgufWriter::add_tensor(std::string_view name, int64_t rows, int64_t cols, DType type,
                            std::span<const float> values) {
  const size_t stride = row_bytes(type, cols);
  const int64_t count = rows == 0 ? 1 : rows;
  std::string bytes(stride * static_cast<size_t>(count), '\0');
  for (int64_t r = 0; r < count; ++r)
    quant_row(type, values.data() + r * cols,
              reinterpret_cast<std::byte*>(bytes.data()) + stride * static_cast<size_t>(r), cols);
  std::vector<uint64_t> dims = {static_cast<uint64_t>(cols)};
  if (rows > 0) dims.push_back(static_cast<uint64_t>(rows));
  add_tensor(name, std::move(dims), static_cast<uint32_t>(format(type).gguf_id), std::move(bytes));
}

std::string GgufWriter::bytes() const {
  std::string out = "GGUF";
  put(out, uint32_t{3});
  put(out, static_cast<uint64_t>(tensors_.size()));
  const bool aligned = alignment_ != 32;  // 32 is the format's default
  put(out, entries_ + (aligned ? 1 : 0));
  if (aligned) {
    put_text(out, "general.alignment");
    put(out, static_cast<uint32_t>(GgufValueType::kU32));
    put(out, alignment_);
  }
  out += metadata_;
  uint64_t offset = 0;
  for (const Tensor& tensor : tensors_) {
    put_text(out, tensor.name);
    put(out, static_cast<uint32_t>(tensor.dims.size()));
    for (uint64_t dim : tensor.dims) put(out, dim);
    put(out, tensor.type);
    put(out, offset);
    offset = (offset + tensor.bytes.size() + alignment_ - 1) / alignment_ * alignment_;
  }
  pad(out, alignment_);
  for (const Tensor& tensor : tensors_) {
    out += tensor.bytes;
    pad(out, alignment_);
  }
  return out;
}

Result<void> GgufWriter::write(const std::filesystem::path& path) const {
  return write_file_atomically(path, bytes());
}

}  // namespace aictl::inference
