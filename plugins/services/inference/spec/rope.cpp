#include "plugins/services/inference/spec/rope.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include <fmt/format.h>

#include "core/tensor/dtype.hpp"

namespace aictl::inference {
namespace {

struct Scaling {
  double factor = 1;  // positions are divided by it
  bool yarn = false;
  double original_context = 0, beta_fast = 32, beta_slow = 1, extrapolation = 1, amplitude = 1;
};

Result<double> positive(const Meta& file, std::string_view key, double fallback) {
  auto value = file.number_or(key, fallback);
  if (value && !(*value > 0))
    return Error{
        ErrorCode::kDataRefused,
        fmt::format("{}: key '{}': found {}, expected a number above 0", file.place(), key, *value),
        ""};
  return value;
}

Result<Scaling> read_scaling(const Meta& file, const std::string& prefix, int context) {
  Scaling scaling;
  auto type = file.text_or(prefix + "scaling.type", "linear");
  if (!type) return std::move(type).error();
  if (*type == "none") return scaling;
  if (*type != "linear" && *type != "yarn")
    return Error{ErrorCode::kUnsupported,
                 fmt::format("{}: key '{}scaling.type': found '{}', expected none, linear or yarn",
                             file.place(), prefix, *type),
                 ""};
  const std::string key =
      file.has(prefix + "scaling.factor") ? prefix + "scaling.factor" : prefix + "scale_linear";
  auto factor = file.number_or(key, 1);
  if (!factor) return std::move(factor).error();
  if (!(*factor >= 0))
    return Error{ErrorCode::kDataRefused,
                 fmt::format("{}: key '{}': found {}, expected a number above 0", file.place(), key,
                             *factor),
                 ""};
  scaling.factor = *factor == 0 ? 1 : *factor;  // writers put 0 for "not scaled"
  scaling.yarn = *type == "yarn";
  if (!scaling.yarn) return scaling;
  const struct {
    const char* key;
    double fallback;
    double* into;
  } rows[] = {
      {"scaling.original_context_length", static_cast<double>(context), &scaling.original_context},
      {"scaling.yarn_beta_fast", 32, &scaling.beta_fast},
      {"scaling.yarn_beta_slow", 1, &scaling.beta_slow},
      {"scaling.yarn_ext_factor", 1, &scaling.extrapolation},
      {"scaling.attn_factor", 1, &scaling.amplitude}};
  for (const auto& row : rows) {
    auto value = positive(file, prefix + row.key, row.fallback);
    if (!value) return std::move(value).error();
    *row.into = *value;
  }
  return scaling;
}

// The divisors llama3 models carry as a tensor; ones when there is none.
Result<std::vector<float>> read_factors(const Meta& file, int pairs) {
  std::vector<float> factors(static_cast<size_t>(pairs), 1.0f);
  const FileTensor* tensor = file.tensor("rope_freqs.weight");
  if (!tensor) return factors;
  if (tensor->n_dims != 1 || tensor->dims[0] != factors.size() ||
      dtype_from_gguf(tensor->gguf_type) != DType::kF32)
    return Error{
        ErrorCode::kDataRefused,
        fmt::format("{}: tensor 'rope_freqs.weight' is {} [{}], expected F32 [{}]", file.place(),
                    gguf_type_name(tensor->gguf_type), tensor->dims[0], pairs),
        ""};
  dequant_row(DType::kF32, tensor->data, factors.data(), pairs);
  for (float factor : factors)
    if (!(factor > 0) || !std::isfinite(factor))
      return Error{ErrorCode::kDataRefused,
                   fmt::format("{}: tensor 'rope_freqs.weight' holds {}, expected numbers above 0",
                               file.place(), factor),
                   ""};
  return factors;
}

// The pair index at which a rotation makes `turns` turns over the original context. Source: YaRN,
// Peng et al. 2023.
double pair_of_turns(double turns, double base, int dims, double original_context) {
  return dims * std::log(original_context / (turns * 2 * std::numbers::pi)) / (2 * std::log(base));
}

// Where on the way from interpolated (0) to extrapolated (1) the frequency of pair `i` lies.
double yarn_ramp(const Scaling& s, double base, int dims, int i) {
  const double low = std::clamp(
      std::floor(pair_of_turns(s.beta_fast, base, dims, s.original_context)), 0.0, dims - 1.0);
  const double high = std::clamp(
      std::ceil(pair_of_turns(s.beta_slow, base, dims, s.original_context)), 0.0, dims - 1.0);
  const double along = std::clamp((i - low) / std::max(0.001, high - low), 0.0, 1.0);
  return (1 - along) * s.extrapolation;
}

}  // namespace

Result<Rope> read_rope(const Meta& file, std::string_view arch, RopeStyle style, int head_dim) {
  const std::string prefix = fmt::format("{}.rope.", arch);
  auto dims = file.integer_or(prefix + "dimension_count", head_dim, 2, head_dim);
  if (!dims) return std::move(dims).error();
  if (*dims % 2 != 0)
    return Error{
        ErrorCode::kUnsupported,
        fmt::format("{}: {} rotated dimensions, expected an even number", file.place(), *dims),
        "rotary embedding needs pairs"};
  auto base = positive(file, prefix + "freq_base", 10000);
  if (!base) return std::move(base).error();
  auto context = file.integer_or(fmt::format("{}.context_length", arch), 1, 1, INT32_MAX);
  if (!context) return std::move(context).error();
  auto scaling = read_scaling(file, prefix, static_cast<int>(*context));
  if (!scaling) return std::move(scaling).error();
  auto factors = read_factors(file, static_cast<int>(*dims / 2));
  if (!factors) return std::move(factors).error();

  Rope rope;
  rope.style = style, rope.dims = static_cast<int>(*dims);
  for (int i = 0; i < rope.dims / 2; ++i) {
    const double plain = std::pow(*base, -2.0 * i / rope.dims) / (*factors)[static_cast<size_t>(i)];
    const double ramp = scaling->yarn ? yarn_ramp(*scaling, *base, rope.dims, i) : 0;
    rope.inv_freq.push_back(plain * (ramp + (1 - ramp) / scaling->factor));
  }
  if (scaling->yarn)
    rope.amplitude = static_cast<float>(scaling->amplitude * (1 + 0.1 * std::log(scaling->factor)));
  return rope;
}

}  // namespace aictl::inference
