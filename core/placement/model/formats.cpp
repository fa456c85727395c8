#include "core/placement/model/formats.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace aictl::placement {
namespace {

constexpr WeightFormat kFormats[] = {
    {"F32", 1, 4},         {"F16", 1, 2},         {"BF16", 1, 2},         {"FP8", 1, 1},
    {"INT8", 1, 1},        {"Q8_0", 32, 34},      {"Q5_1", 32, 24},       {"Q5_0", 32, 22},
    {"Q4_1", 32, 20},      {"Q4_0", 32, 18},      {"IQ4_NL", 32, 18},     {"IQ4_XS", 256, 136},
    {"MXFP4", 32, 17},     {"NVFP4", 16, 9},      {"Q2_K", 256, 84},      {"Q3_K", 256, 110},
    {"Q4_K", 256, 144},    {"Q5_K", 256, 176},    {"Q6_K", 256, 210},     {"IQ3_S", 256, 110},
    {"IQ3_XXS", 256, 98},  {"IQ2_S", 256, 82},    {"IQ2_XS", 256, 74},    {"IQ2_XXS", 256, 66},
    {"IQ1_M", 256, 56},    {"IQ1_S", 256, 50},    {"TQ2_0", 256, 66},     {"TQ1_0", 256, 54},
    {"AWQ", 0, 0, 4.16},   {"GPTQ", 0, 0, 4.16},  {"INT4", 0, 0, 4.16},   {"Q4_K_M", 0, 0, 4.85},
    {"Q4_K_S", 0, 0, 4.6}, {"Q5_K_M", 0, 0, 5.7}, {"Q5_K_S", 0, 0, 5.55}, {"Q3_K_M", 0, 0, 3.9},
    {"Q3_K_S", 0, 0, 3.5}, {"Q3_K_L", 0, 0, 4.2},
};

constexpr std::array<std::string_view, 7> kLadder = {"BF16",   "Q8_0",   "Q6_K", "Q5_K_M",
                                                     "Q4_K_M", "Q3_K_M", "Q2_K"};

const WeightFormat* find(std::string_view name) {
  for (const WeightFormat& format : kFormats)
    if (std::equal(format.name.begin(), format.name.end(), name.begin(), name.end(),
                   [](unsigned char a, unsigned char b) { return a == std::toupper(b); }))
      return &format;
  return nullptr;
}

}  // namespace

std::span<const WeightFormat> weight_formats() { return kFormats; }

std::optional<double> bits_per_weight(std::string_view name) {
  const WeightFormat* format = find(name);
  if (!format) return std::nullopt;
  return format->bits_per_weight();
}

int quant_block(std::string_view name) {
  const WeightFormat* format = find(name);
  if (!format) return 1;
  if (format->block > 0) return format->block;
  return format->name.find("_K_") != std::string_view::npos ? 256 : 128;  // a mixture; group of 128
}

std::string canonical_quant(std::string_view name) {
  const WeightFormat* format = find(name);
  return format ? std::string(format->name) : std::string();
}

std::span<const std::string_view> quant_ladder() { return kLadder; }

std::optional<double> kv_element_bytes(std::string_view name) {
  if (name == "f32") return 4;
  if (name == "f16" || name == "bf16") return 2;
  if (name == "fp8") return 1;
  if (name == "q8_0") return 1.0625;
  if (name == "q4_0") return 0.5625;
  return std::nullopt;
}

}  // namespace aictl::placement
