// Metadata values of GGUF files: widths, readings, words.
#include <array>
#include <cstring>

#include <fmt/format.h>

#include "plugins/services/inference/load/gguf_parse.hpp"

namespace aictl::inference {
namespace {

struct Row {
  std::string_view name;
  size_t width;
};

constexpr std::array<Row, 13> kRows = {{{"u8", 1},
                                        {"i8", 1},
                                        {"u16", 2},
                                        {"i16", 2},
                                        {"u32", 4},
                                        {"i32", 4},
                                        {"f32", 4},
                                        {"bool", 1},
                                        {"string", 0},
                                        {"array", 0},
                                        {"u64", 8},
                                        {"i64", 8},
                                        {"f64", 8}}};

template <typename T>
T load(std::span<const std::byte> bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

}  // namespace

std::string_view name(GgufValueType type) { return kRows[static_cast<size_t>(type)].name; }
size_t width(GgufValueType type) { return kRows[static_cast<size_t>(type)].width; }

std::optional<int64_t> GgufValue::as_integer() const {
  switch (type) {
    case GgufValueType::kU8:
      return load<uint8_t>(bytes);
    case GgufValueType::kI8:
      return load<int8_t>(bytes);
    case GgufValueType::kU16:
      return load<uint16_t>(bytes);
    case GgufValueType::kI16:
      return load<int16_t>(bytes);
    case GgufValueType::kU32:
      return load<uint32_t>(bytes);
    case GgufValueType::kI32:
      return load<int32_t>(bytes);
    case GgufValueType::kI64:
      return load<int64_t>(bytes);
    case GgufValueType::kU64: {
      const uint64_t value = load<uint64_t>(bytes);
      if (value > INT64_MAX) return std::nullopt;
      return static_cast<int64_t>(value);
    }
    default:
      return std::nullopt;
  }
}

std::optional<double> GgufValue::as_number() const {
  if (type == GgufValueType::kF32) return load<float>(bytes);
  if (type == GgufValueType::kF64) return load<double>(bytes);
  if (auto integer = as_integer()) return static_cast<double>(*integer);
  return std::nullopt;
}

std::optional<bool> GgufValue::as_boolean() const {
  if (type != GgufValueType::kBool) return std::nullopt;
  return load<uint8_t>(bytes) != 0;
}

std::optional<std::string_view> GgufValue::as_text() const {
  if (type != GgufValueType::kString) return std::nullopt;
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::string GgufValue::describe() const {
  if (type == GgufValueType::kArray)
    return fmt::format("array of {} {}s", count, inference::name(element));
  if (auto text = as_text()) return fmt::format("string {}", quoted(*text));
  if (auto truth = as_boolean()) return fmt::format("bool {}", *truth);
  if (auto integer = as_integer()) return fmt::format("{} {}", inference::name(type), *integer);
  if (auto number = as_number()) return fmt::format("{} {}", inference::name(type), *number);
  return fmt::format("{} {}", inference::name(type), load<uint64_t>(bytes));
}

}  // namespace aictl::inference
