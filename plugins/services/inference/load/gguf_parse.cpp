#include "plugins/services/inference/load/gguf_parse.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

#include <fmt/format.h>

#include "core/tensor/dtype.hpp"

namespace aictl::inference {
namespace {

constexpr uint64_t kMaxEntries = 65536, kMaxTensors = 262144;
constexpr size_t kSmallestEntry = 8 + 1 + 4 + 1;           // key, type, one-byte value
constexpr size_t kSmallestTensor = 8 + 1 + 4 + 8 + 4 + 8;  // name, n_dims, one dim, type, offset
constexpr uint64_t kLongestKey = 65535, kLongestTensorName = 64;
constexpr int kDeepestArray = 4;

bool printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 32 && c < 127; });
}

}  // namespace

std::string quoted(std::string_view name) {
  std::string out = "'";
  for (char c : name.substr(0, 80)) out += c >= 32 && c < 127 ? c : '?';
  return out + (name.size() > 80 ? "...'" : "'");
}

Error GgufParser::refuse(std::string_view what) const {
  return Error{ErrorCode::kDataRefused, fmt::format("{}: {}", place_, what), ""};
}

template <typename T>
Result<T> GgufParser::read(std::string_view what) {
  if (left() < sizeof(T))
    return refuse(fmt::format("the file ends at byte {} inside {}", bytes_.size(), what));
  T value;
  std::memcpy(&value, bytes_.data() + at_, sizeof value);
  at_ += sizeof value;
  return value;
}

Result<std::string_view> GgufParser::string(std::string_view what, uint64_t longest) {
  auto length = read<uint64_t>(what);
  if (!length) return std::move(length).error();
  if (*length > left())
    return refuse(
        fmt::format("{} claims {} bytes of text, {} are left in the file", what, *length, left()));
  if (*length > longest)
    return refuse(fmt::format("{} has {} bytes, expected at most {}", what, *length, longest));
  const std::string_view text(reinterpret_cast<const char*>(bytes_.data() + at_), *length);
  at_ += *length;
  return text;
}

Result<Gguf> GgufParser::run() {
  if (auto done = header(); !done) return std::move(done).error();
  file_.entries_.reserve(entry_count_);
  for (uint64_t i = 0; i < entry_count_; ++i)
    if (auto done = entry(i); !done) return std::move(done).error();
  file_.tensors_.reserve(tensor_count_);
  offsets_.reserve(tensor_count_);
  for (uint64_t i = 0; i < tensor_count_; ++i)
    if (auto done = tensor_info(i); !done) return std::move(done).error();
  if (auto done = place_tensors(); !done) return std::move(done).error();
  file_.place_ = place_;
  file_.file_bytes_ = bytes_.size();
  return std::move(file_);
}

Result<void> GgufParser::header() {
  if (bytes_.size() < 4 || std::memcmp(bytes_.data(), "GGUF", 4) != 0)
    return refuse("not a GGUF file: it does not start with the letters GGUF");
  at_ = 4;
  auto version = read<uint32_t>("the version");
  if (!version) return std::move(version).error();
  if (*version == 0x03000000 || *version == 0x02000000)
    return Error{ErrorCode::kUnsupported, fmt::format("{}: a big-endian GGUF file", place_),
                 "convert it to little-endian"};
  if (*version != 2 && *version != 3)
    return Error{*version == 1 ? ErrorCode::kUnsupported : ErrorCode::kDataRefused,
                 fmt::format("{}: GGUF version {}, expected 2 or 3", place_, *version),
                 *version == 1 ? "convert the model again with a current converter" : ""};
  file_.version_ = *version;
  auto tensors = read<uint64_t>("the tensor count");
  if (!tensors) return std::move(tensors).error();
  auto entries = read<uint64_t>("the key count");
  if (!entries) return std::move(entries).error();
  if (*entries > kMaxEntries || *entries > left() / kSmallestEntry)
    return refuse(fmt::format("claims {} keys, expected at most {}: the file has {} bytes",
                              *entries, std::min(kMaxEntries, uint64_t{left() / kSmallestEntry}),
                              bytes_.size()));
  if (*tensors > kMaxTensors || *tensors > left() / kSmallestTensor)
    return refuse(fmt::format("claims {} tensors, expected at most {}: the file has {} bytes",
                              *tensors, std::min(kMaxTensors, uint64_t{left() / kSmallestTensor}),
                              bytes_.size()));
  tensor_count_ = *tensors;
  entry_count_ = *entries;
  return {};
}

Result<void> GgufParser::entry(uint64_t i) {
  auto key = string(fmt::format("key {}", i), kLongestKey);
  if (!key) return std::move(key).error();
  if (key->empty() || !printable(*key))
    return refuse(fmt::format("key {} is {}, expected printable ASCII", i, quoted(*key)));
  auto type = read<uint32_t>(fmt::format("key {}", quoted(*key)));
  if (!type) return std::move(type).error();
  if (*type > static_cast<uint32_t>(GgufValueType::kF64))
    return refuse(fmt::format("key {} has value type {}, expected 0..12", quoted(*key), *type));
  auto parsed = value(*key, static_cast<GgufValueType>(*type));
  if (!parsed) return std::move(parsed).error();
  if (*key == "general.alignment") {
    const auto alignment = parsed->as_integer();
    if (!alignment || *alignment < 8 || *alignment > int64_t{1} << 30 ||
        !std::has_single_bit(static_cast<uint64_t>(*alignment)))
      return refuse(fmt::format("key 'general.alignment': found {}, expected a power of two from 8",
                                parsed->describe()));
    alignment_ = static_cast<uint64_t>(*alignment);
  }
  file_.entries_.push_back({*key, *parsed});
  return {};
}

Result<GgufValue> GgufParser::value(std::string_view key, GgufValueType type) {
  if (type == GgufValueType::kArray) return array(key);
  GgufValue value{.type = type};
  if (type == GgufValueType::kString) {
    auto text = string(fmt::format("key {}", quoted(key)), UINT64_MAX);
    if (!text) return std::move(text).error();
    value.bytes = std::as_bytes(std::span(text->data(), text->size()));
    return value;
  }
  if (left() < width(type)) return refuse(fmt::format("the file ends inside key {}", quoted(key)));
  value.bytes = bytes_.subspan(at_, width(type));
  at_ += width(type);
  if (type == GgufValueType::kBool && std::to_integer<int>(value.bytes[0]) > 1)
    return refuse(fmt::format("key {}: found bool {}, expected 0 or 1", quoted(key),
                              std::to_integer<int>(value.bytes[0])));
  return value;
}

Result<GgufValue> GgufParser::array(std::string_view key) {
  auto element = read<uint32_t>(fmt::format("key {}", quoted(key)));
  if (!element) return std::move(element).error();
  auto count = read<uint64_t>(fmt::format("key {}", quoted(key)));
  if (!count) return std::move(count).error();
  if (*element > static_cast<uint32_t>(GgufValueType::kF64))
    return refuse(fmt::format("key {} has element type {}, expected 0..12", quoted(key), *element));
  GgufValue value{.type = GgufValueType::kArray,
                  .element = static_cast<GgufValueType>(*element),
                  .count = *count};
  const size_t start = at_;
  if (auto done = skip_elements(key, value.element, *count, 1); !done)
    return std::move(done).error();
  value.bytes = bytes_.subspan(start, at_ - start);
  return value;
}

Result<void> GgufParser::skip_elements(std::string_view key, GgufValueType type, uint64_t count,
                                       int depth) {
  // The least an element takes: its width, a string's length, an inner array's type and count.
  const size_t least = type == GgufValueType::kString  ? 8
                       : type == GgufValueType::kArray ? 12
                                                       : width(type);
  if (count > left() / least)
    return refuse(fmt::format("key {} claims an array of {} {}s, {} bytes are left in the file",
                              quoted(key), count, name(type), left()));
  if (width(type) > 0) {
    at_ += count * least;
    return {};
  }
  if (type == GgufValueType::kArray && depth >= kDeepestArray)
    return refuse(
        fmt::format("key {} nests arrays deeper than {} levels", quoted(key), kDeepestArray));
  const std::string what = fmt::format("an element of key {}", quoted(key));
  for (uint64_t i = 0; i < count; ++i) {
    if (type == GgufValueType::kString) {
      if (auto text = string(what, UINT64_MAX); !text) return std::move(text).error();
      continue;
    }
    auto element = read<uint32_t>(what);
    if (!element) return std::move(element).error();
    auto inner = read<uint64_t>(what);
    if (!inner) return std::move(inner).error();
    if (*element > static_cast<uint32_t>(GgufValueType::kF64))
      return refuse(fmt::format("{} has type {}, expected 0..12", what, *element));
    if (auto done = skip_elements(key, static_cast<GgufValueType>(*element), *inner, depth + 1);
        !done)
      return done;
  }
  return {};
}

Result<void> GgufParser::tensor_info(uint64_t i) {
  auto name = string(fmt::format("tensor {}", i), kLongestTensorName);
  if (!name) return std::move(name).error();
  if (name->empty() || !printable(*name))
    return refuse(
        fmt::format("tensor {} is called {}, expected printable ASCII", i, quoted(*name)));
  const std::string what = fmt::format("tensor {}", quoted(*name));
  FileTensor tensor{.name = *name};
  auto n_dims = read<uint32_t>(what);
  if (!n_dims) return std::move(n_dims).error();
  if (*n_dims < 1 || *n_dims > 4)
    return refuse(fmt::format("{} has {} dimensions, expected 1..4", what, *n_dims));
  tensor.n_dims = static_cast<int>(*n_dims);
  uint64_t elements = 1;
  for (int d = 0; d < tensor.n_dims; ++d) {
    auto dim = read<uint64_t>(what);
    if (!dim) return std::move(dim).error();
    tensor.dims[d] = *dim;
    if (*dim == 0 || *dim > INT32_MAX || __builtin_mul_overflow(elements, *dim, &elements))
      return refuse(
          fmt::format("{} has dimension {} of {}, expected 1..{} and a product in 64 bits", what, d,
                      *dim, INT32_MAX));
  }
  auto type = read<uint32_t>(what);
  if (!type) return std::move(type).error();
  tensor.gguf_type = *type;
  const GgufType* layout = gguf_type(*type);
  if (!layout)
    return Error{
        ErrorCode::kUnsupported,
        fmt::format("{}: {} has type id {}, which no known tensor type has", place_, what, *type),
        ""};
  if (tensor.dims[0] % static_cast<uint64_t>(layout->block) != 0)
    return refuse(fmt::format("{} has rows of {} elements, expected a multiple of {}'s block of {}",
                              what, tensor.dims[0], layout->name, layout->block));
  uint64_t bytes = 0;
  if (__builtin_mul_overflow(elements / static_cast<uint64_t>(layout->block),
                             static_cast<uint64_t>(layout->bytes), &bytes))
    return refuse(fmt::format("{} has {} elements, more than a file can hold", what, elements));
  tensor.bytes = bytes;
  auto offset = read<uint64_t>(what);
  if (!offset) return std::move(offset).error();
  offsets_.push_back(*offset);
  file_.tensors_.push_back(tensor);
  return {};
}

Result<void> GgufParser::place_tensors() {
  if (file_.tensors_.empty()) return {};  // a vocabulary alone may end without padding
  const uint64_t start = (at_ + alignment_ - 1) / alignment_ * alignment_;
  const uint64_t size = start <= bytes_.size() ? bytes_.size() - start : 0;
  for (size_t i = 0; i < offsets_.size(); ++i) {
    FileTensor& tensor = file_.tensors_[i];
    const uint64_t offset = offsets_[i];
    if (offset % alignment_ != 0)
      return refuse(fmt::format("tensor {} is at offset {}, expected a multiple of {}",
                                quoted(tensor.name), offset, alignment_));
    if (offset > size || tensor.bytes > size - offset)
      return refuse(
          fmt::format("tensor {} needs {} bytes at offset {}, the file has {} bytes of data",
                      quoted(tensor.name), tensor.bytes, offset, size));
    tensor.data = bytes_.data() + start + offset;
  }
  return check_overlaps();
}

Result<void> GgufParser::check_overlaps() const {
  std::vector<uint32_t> order(file_.tensors_.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(),
            [&](uint32_t a, uint32_t b) { return offsets_[a] < offsets_[b]; });
  for (size_t i = 1; i < order.size(); ++i) {
    const FileTensor &before = file_.tensors_[order[i - 1]], &after = file_.tensors_[order[i]];
    if (offsets_[order[i]] - offsets_[order[i - 1]] < before.bytes)
      return refuse(fmt::format("tensor {} at offset {} overlaps tensor {}", quoted(after.name),
                                offsets_[order[i]], quoted(before.name)));
  }
  return {};
}

}  // namespace aictl::inference
