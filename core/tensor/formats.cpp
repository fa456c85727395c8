// The format tables: what each element type is called, and how many elements and bytes a block has.
#include <algorithm>
#include <array>
#include <cctype>

#include "core/base/check.hpp"
#include "core/tensor/dtype.hpp"

namespace aictl {
namespace {

constexpr std::array<FormatInfo, 10> kFormats = {{
    {DType::kF32, "F32", 0, 1, 4},
    {DType::kF16, "F16", 1, 1, 2},
    {DType::kBF16, "BF16", 30, 1, 2},
    {DType::kI8, "I8", 24, 1, 1},
    {DType::kI32, "I32", 26, 1, 4},
    {DType::kQ8_0, "Q8_0", 8, 32, 34},
    {DType::kQ4_0, "Q4_0", 2, 32, 18},
    {DType::kQ4_K, "Q4_K", 12, 256, 144},
    {DType::kQ5_K, "Q5_K", 13, 256, 176},
    {DType::kQ6_K, "Q6_K", 14, 256, 210},
}};

constexpr std::array<GgufType, 31> kGgufTypes = {{
    {0, "F32", 1, 4},         {1, "F16", 1, 2},         {2, "Q4_0", 32, 18},
    {3, "Q4_1", 32, 20},      {6, "Q5_0", 32, 22},      {7, "Q5_1", 32, 24},
    {8, "Q8_0", 32, 34},      {10, "Q2_K", 256, 84},    {11, "Q3_K", 256, 110},
    {12, "Q4_K", 256, 144},   {13, "Q5_K", 256, 176},   {14, "Q6_K", 256, 210},
    {16, "IQ2_XXS", 256, 66}, {17, "IQ2_XS", 256, 74},  {18, "IQ3_XXS", 256, 98},
    {19, "IQ1_S", 256, 50},   {20, "IQ4_NL", 32, 18},   {21, "IQ3_S", 256, 110},
    {22, "IQ2_S", 256, 82},   {23, "IQ4_XS", 256, 136}, {24, "I8", 1, 1},
    {25, "I16", 1, 2},        {26, "I32", 1, 4},        {27, "I64", 1, 8},
    {28, "F64", 1, 8},        {29, "IQ1_M", 256, 56},   {30, "BF16", 1, 2},
    {34, "TQ1_0", 256, 54},   {35, "TQ2_0", 256, 66},   {39, "MXFP4", 32, 17},
    {40, "NVFP4", 64, 36},
}};

bool same_letters(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

}  // namespace

const FormatInfo& format(DType type) {
  const size_t row = static_cast<size_t>(type);
  CHECK(row < kFormats.size() && kFormats[row].type == type);
  return kFormats[row];
}

std::span<const FormatInfo> formats() { return kFormats; }

std::optional<DType> dtype_from_gguf(uint32_t id) {
  for (const FormatInfo& f : kFormats)
    if (static_cast<uint32_t>(f.gguf_id) == id) return f.type;
  return std::nullopt;
}

std::optional<DType> dtype_from_name(std::string_view name) {
  for (const FormatInfo& f : kFormats)
    if (same_letters(f.name, name)) return f.type;
  return std::nullopt;
}

const GgufType* gguf_type(uint32_t id) {
  for (const GgufType& type : kGgufTypes)
    if (type.id == id) return &type;
  return nullptr;
}

std::string_view gguf_type_name(uint32_t id) {
  const GgufType* type = gguf_type(id);
  return type ? type->name : std::string_view();
}

}  // namespace aictl
