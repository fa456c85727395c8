#include "plugins/services/inference/spec/tensors.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/base/check.hpp"

namespace aictl::inference {
namespace {

enum class When : uint8_t { kAlways, kUntied, kBias, kQkNorm };

struct NameRule {
  Slot slot;
  std::string_view name;  // of a layer's tensor: after "blk.N."
  bool per_layer;
  When when;
};

// In the order of Slot.
constexpr std::array<NameRule, 17> kRules = {{
    {Slot::kEmbedding, "token_embd.weight", false, When::kAlways},
    {Slot::kFinalNorm, "output_norm.weight", false, When::kAlways},
    {Slot::kHead, "output.weight", false, When::kUntied},
    {Slot::kAttnNorm, "attn_norm.weight", true, When::kAlways},
    {Slot::kQ, "attn_q.weight", true, When::kAlways},
    {Slot::kK, "attn_k.weight", true, When::kAlways},
    {Slot::kV, "attn_v.weight", true, When::kAlways},
    {Slot::kQBias, "attn_q.bias", true, When::kBias},
    {Slot::kKBias, "attn_k.bias", true, When::kBias},
    {Slot::kVBias, "attn_v.bias", true, When::kBias},
    {Slot::kQNorm, "attn_q_norm.weight", true, When::kQkNorm},
    {Slot::kKNorm, "attn_k_norm.weight", true, When::kQkNorm},
    {Slot::kAttnOut, "attn_output.weight", true, When::kAlways},
    {Slot::kFfnNorm, "ffn_norm.weight", true, When::kAlways},
    {Slot::kGate, "ffn_gate.weight", true, When::kAlways},
    {Slot::kUp, "ffn_up.weight", true, When::kAlways},
    {Slot::kDown, "ffn_down.weight", true, When::kAlways},
}};

constexpr size_t kModelWide = 3;  // rules before the first per-layer one

const NameRule& rule(Slot slot) {
  const NameRule& found = kRules[static_cast<size_t>(slot)];
  CHECK(found.slot == slot);
  return found;
}

bool wanted(const NameRule& rule, const ModelSpec& spec) {
  switch (rule.when) {
    case When::kAlways:
      return true;
    case When::kUntied:
      return !spec.tied_head;
    case When::kBias:
      return spec.qkv_bias;
    case When::kQkNorm:
      return spec.qk_norm;
  }
  return false;
}

std::string dims_text(const FileTensor& tensor) {
  return fmt::format("[{}]",
                     fmt::join(tensor.dims.begin(), tensor.dims.begin() + tensor.n_dims, ", "));
}

bool fits(const FileTensor& tensor, const TensorShape& shape) {
  if (tensor.n_dims != (shape.vector ? 1 : 2)) return false;
  return tensor.dims[0] == static_cast<uint64_t>(shape.cols) &&
         tensor.dims[1] == static_cast<uint64_t>(shape.rows);
}

Result<TensorView> bind(const Meta& file, const ModelSpec& spec, TensorId id) {
  const std::string name = tensor_name(id);
  const TensorShape shape = tensor_shape(spec, id.slot);
  const FileTensor* tensor = file.tensor(name);
  if (!tensor)
    return Error{ErrorCode::kDataRefused,
                 fmt::format("{}: tensor '{}' is missing", file.place(), name), ""};
  if (!fits(*tensor, shape))
    return Error{ErrorCode::kDataRefused,
                 shape.vector
                     ? fmt::format("{}: tensor '{}' has dimensions {}, expected [{}]", file.place(),
                                   name, dims_text(*tensor), shape.cols)
                     : fmt::format("{}: tensor '{}' has dimensions {}, expected [{}, {}]",
                                   file.place(), name, dims_text(*tensor), shape.cols, shape.rows),
                 ""};
  const auto type = dtype_from_gguf(tensor->gguf_type);
  const bool weights = type && *type != DType::kI8 && *type != DType::kI32;
  if (!weights || (shape.vector && *type != DType::kF32))
    return Error{
        ErrorCode::kUnsupported,
        fmt::format("{}: tensor '{}' has type {}, expected {}", file.place(), name,
                    gguf_type_name(tensor->gguf_type),
                    shape.vector ? "F32" : "F32, F16, BF16, Q8_0, Q4_0, Q4_K, Q5_K or Q6_K"),
        ""};
  return TensorView{tensor->data, *type, shape.rows, shape.cols, row_bytes(*type, shape.cols)};
}

}  // namespace

std::string tensor_name(TensorId id) {
  const NameRule& found = rule(id.slot);
  return found.per_layer ? fmt::format("blk.{}.{}", id.layer, found.name) : std::string(found.name);
}

TensorShape tensor_shape(const ModelSpec& spec, Slot slot) {
  switch (slot) {
    case Slot::kEmbedding:
    case Slot::kHead:
      return {spec.vocab, spec.hidden};
    case Slot::kFinalNorm:
    case Slot::kAttnNorm:
    case Slot::kFfnNorm:
      return {1, spec.hidden, true};
    case Slot::kQ:
      return {spec.q_dim(), spec.hidden};
    case Slot::kK:
    case Slot::kV:
      return {spec.kv_dim(), spec.hidden};
    case Slot::kQBias:
      return {1, spec.q_dim(), true};
    case Slot::kKBias:
    case Slot::kVBias:
      return {1, spec.kv_dim(), true};
    case Slot::kQNorm:
    case Slot::kKNorm:
      return {1, spec.head_dim, true};
    case Slot::kAttnOut:
      return {spec.hidden, spec.q_dim()};
    case Slot::kGate:
    case Slot::kUp:
      return {spec.ffn, spec.hidden};
    case Slot::kDown:
      return {spec.hidden, spec.ffn};
  }
  CHECK(!"a known slot");
  return {};
}

std::vector<TensorId> tensors_of(const ModelSpec& spec) {
  std::vector<TensorId> ids = {{Slot::kEmbedding}};
  for (int layer = 0; layer < spec.n_layers; ++layer)
    for (const NameRule& rule : kRules)
      if (rule.per_layer && wanted(rule, spec)) ids.push_back({rule.slot, layer});
  ids.push_back({Slot::kFinalNorm});
  if (!spec.tied_head) ids.push_back({Slot::kHead});
  return ids;
}

TensorTable::TensorTable(const ModelSpec& spec)
    : n_layers_(spec.n_layers),
      tied_head_(spec.tied_head),
      views_(kModelWide + (kRules.size() - kModelWide) * static_cast<size_t>(spec.n_layers)) {}

size_t TensorTable::place(TensorId id) const {
  const size_t slot = static_cast<size_t>(id.slot);
  if (slot < kModelWide) return slot;
  CHECK(id.layer >= 0 && id.layer < n_layers_);
  return slot + (kRules.size() - kModelWide) * static_cast<size_t>(id.layer);
}

TensorView TensorTable::get(TensorId id) const {
  if (id.slot == Slot::kHead && tied_head_) id = {Slot::kEmbedding};
  return views_[place(id)];
}

void TensorTable::set(TensorId id, TensorView view) { views_[place(id)] = view; }

uint64_t TensorTable::bytes() const {
  uint64_t sum = 0;
  for (const TensorView& v : views_) sum += static_cast<uint64_t>(v.rows) * v.row_bytes;
  return sum;
}

uint64_t TensorTable::parameters() const {
  uint64_t sum = 0;
  for (const TensorView& v : views_)
    sum += static_cast<uint64_t>(v.rows) * static_cast<uint64_t>(v.cols);
  return sum;
}

Result<TensorTable> bind_tensors(const Meta& file, const ModelSpec& spec) {
  const std::vector<TensorId> ids = tensors_of(spec);
  TensorTable table(spec);
  std::vector<std::string> known = {"rope_freqs.weight"};  // already in the spec's rope table
  for (TensorId id : ids) {
    auto view = bind(file, spec, id);
    if (!view) return std::move(view).error();
    table.set(id, *view);
    known.push_back(tensor_name(id));
  }
  std::sort(known.begin(), known.end());
  for (const FileTensor& tensor : file.tensors())
    if (!std::binary_search(known.begin(), known.end(), tensor.name))
      return Error{ErrorCode::kUnsupported,
                   fmt::format("{}: tensor '{}' is none of architecture {}'s", file.place(),
                               tensor.name, spec.arch),
                   "this variant of the architecture is not supported yet"};
  return table;
}

}  // namespace aictl::inference
