// Two passes over the same list of tensors: the first adds up sizes, the second packs.
#include "plugins/backends/cpu/weights/model.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

#include <fmt/format.h>

namespace aictl::cpu {
namespace {

std::string_view slot_name(Slot slot) {
  switch (slot) {
    case Slot::kEmbedding:
      return "embedding";
    case Slot::kFinalNorm:
      return "final norm";
    case Slot::kHead:
      return "head";
    case Slot::kAttnNorm:
      return "attention norm";
    case Slot::kQ:
      return "q";
    case Slot::kK:
      return "k";
    case Slot::kV:
      return "v";
    case Slot::kQBias:
      return "q bias";
    case Slot::kKBias:
      return "k bias";
    case Slot::kVBias:
      return "v bias";
    case Slot::kQNorm:
      return "q norm";
    case Slot::kKNorm:
      return "k norm";
    case Slot::kAttnOut:
      return "attention output";
    case Slot::kFfnNorm:
      return "ffn norm";
    case Slot::kGate:
      return "gate";
    case Slot::kUp:
      return "up";
    case Slot::kDown:
      return "down";
  }
  return "?";
}

std::string tensor_name(TensorId id) {
  return id.layer < 0 ? std::string(slot_name(id.slot))
                      : fmt::format("{} of layer {}", slot_name(id.slot), id.layer);
}

// Matrices a stage multiplies in one pass, which one partition of strips covers. `paired`: strips
// alternate in memory.
struct Pass {
  std::vector<TensorView> views;
  std::vector<Matrix*> matrices;
  bool paired = false;
};

class Loader {
 public:
  Loader(Model& model, const TensorSource& source, Team& team)
      : model_(model), source_(source), team_(team) {}

  Result<void> load() {
    const ModelSpec& spec = model_.spec;
    model_.layers.resize(static_cast<size_t>(spec.n_layers));
    for (int i = 0; i < spec.n_layers; ++i) add_layer(i);
    Pass head = pass({{Slot::kHead}}, {&model_.head}, {{spec.vocab, spec.hidden}});
    if (!spec.tied_head)
      passes_.push_back(
          pass({{Slot::kEmbedding}}, {&model_.embedding}, {{spec.vocab, spec.hidden}}));
    passes_.push_back(std::move(head));
    vector({Slot::kFinalNorm}, spec.hidden, &model_.final_norm);
    if (error_) return *error_;

    auto arena = Arena::make(bytes_);
    if (!arena) return std::move(arena).error().within("loading weights");
    model_.arena = std::move(*arena);
    for (const Vector& v : vectors_) fill(v);
    for (const Pass& p : passes_) place(p);
    for (const Pass& p : passes_) {
      const int64_t strips = p.paired ? p.matrices[0]->strips() : total_strips(p);
      team_.share(strips, 1, [&](int, int64_t begin, int64_t end) { pack(p, begin, end); });
    }
    if (spec.tied_head) model_.embedding = model_.head;
    return {};
  }

 private:
  struct Shape {
    int64_t rows, cols;
  };
  struct Vector {
    TensorView view;
    const float** out;
  };

  void add_layer(int i) {
    const ModelSpec& s = model_.spec;
    Layer& layer = model_.layers[static_cast<size_t>(i)];
    const Shape from_hidden_q{s.q_dim(), s.hidden}, from_hidden_kv{s.kv_dim(), s.hidden};
    const Shape to_ffn{s.ffn, s.hidden};
    passes_.push_back(pass({{Slot::kQ, i}, {Slot::kK, i}, {Slot::kV, i}},
                           {&layer.q, &layer.k, &layer.v},
                           {from_hidden_q, from_hidden_kv, from_hidden_kv}));
    passes_.push_back(pass({{Slot::kAttnOut, i}}, {&layer.attn_out}, {{s.hidden, s.q_dim()}}));
    passes_.push_back(
        pass({{Slot::kGate, i}, {Slot::kUp, i}}, {&layer.gate, &layer.up}, {to_ffn, to_ffn}));
    passes_.back().paired = true;
    passes_.push_back(pass({{Slot::kDown, i}}, {&layer.down}, {{s.hidden, s.ffn}}));
    vector({Slot::kAttnNorm, i}, s.hidden, &layer.attn_norm);
    vector({Slot::kFfnNorm, i}, s.hidden, &layer.ffn_norm);
    layer.q_bias = layer.k_bias = layer.v_bias = layer.q_norm = layer.k_norm = nullptr;
    if (s.qkv_bias) {
      vector({Slot::kQBias, i}, s.q_dim(), &layer.q_bias);
      vector({Slot::kKBias, i}, s.kv_dim(), &layer.k_bias);
      vector({Slot::kVBias, i}, s.kv_dim(), &layer.v_bias);
    }
    if (s.qk_norm) {
      vector({Slot::kQNorm, i}, s.head_dim, &layer.q_norm);
      vector({Slot::kKNorm, i}, s.head_dim, &layer.k_norm);
    }
  }

  void refuse(TensorId id, Error error) {
    if (!error_) error_ = std::move(error).within(tensor_name(id));
  }

  Pass pass(std::vector<TensorId> ids, std::vector<Matrix*> matrices, std::vector<Shape> shapes) {
    Pass out;
    for (size_t i = 0; i < ids.size(); ++i) {
      const TensorView view = source_.get(ids[i]);
      if (!view.data || view.rows != shapes[i].rows || view.cols != shapes[i].cols) {
        refuse(ids[i], {ErrorCode::kDataRefused,
                        fmt::format("shape {} x {} is not {} x {}", view.rows, view.cols,
                                    shapes[i].rows, shapes[i].cols),
                        ""});
        continue;
      }
      auto kind = tile_kind(view.type);
      if (!kind) {
        refuse(ids[i], kind.error());
        continue;
      }
      if (view.cols % format(view.type).block != 0) {
        refuse(ids[i], {ErrorCode::kUnsupported,
                        fmt::format("{} columns do not fill blocks of {}", view.cols,
                                    format(view.type).name),
                        ""});
        continue;
      }
      *matrices[i] = {nullptr, strip_bytes(*kind, view.cols), *kind, view.rows, view.cols};
      bytes_ += Arena::taken(matrices[i]->stride * static_cast<size_t>(matrices[i]->strips()));
      out.views.push_back(view);
      out.matrices.push_back(matrices[i]);
    }
    return out;
  }

  void vector(TensorId id, int64_t size, const float** out) {
    const TensorView view = source_.get(id);
    if (!view.data || view.type != DType::kF32 || view.rows * view.cols != size)
      return refuse(id, {ErrorCode::kDataRefused, fmt::format("not {} F32 values", size), ""});
    bytes_ += Arena::taken(static_cast<size_t>(padded(size)) * sizeof(float));
    vectors_.push_back({view, out});
  }

  void fill(const Vector& v) {
    const auto size = static_cast<size_t>(v.view.rows * v.view.cols);
    auto* out =
        model_.arena.take_array<float>(static_cast<size_t>(padded(v.view.rows * v.view.cols)));
    std::memcpy(out, v.view.data, size * sizeof(float));
    *v.out = out;
  }

  void place(const Pass& p) {
    if (p.paired && p.matrices[0]->kind == p.matrices[1]->kind) {
      Matrix &gate = *p.matrices[0], &up = *p.matrices[1];
      gate.data = model_.arena.take(2 * gate.stride * static_cast<size_t>(gate.strips()));
      up.data = gate.data + gate.stride;
      gate.stride = up.stride = 2 * gate.stride;
      return;
    }
    for (Matrix* m : p.matrices)
      m->data = model_.arena.take(m->stride * static_cast<size_t>(m->strips()));
  }

  void pack(const Pass& p, int64_t begin, int64_t end) {
    int64_t first = 0;
    for (size_t i = 0; i < p.matrices.size(); ++i) {
      const Matrix& m = *p.matrices[i];
      const int64_t last = std::min(end - first, m.strips());
      for (int64_t s = std::max<int64_t>(begin - first, 0); s < last; ++s)
        pack_strip(m.kind, p.views[i], s, m.data + static_cast<size_t>(s) * m.stride);
      if (!p.paired) first += m.strips();
    }
  }

  static int64_t total_strips(const Pass& p) {
    int64_t strips = 0;
    for (const Matrix* m : p.matrices) strips += m->strips();
    return strips;
  }

  Model& model_;
  const TensorSource& source_;
  Team& team_;
  std::vector<Pass> passes_;
  std::vector<Vector> vectors_;
  size_t bytes_ = 0;
  std::optional<Error> error_;
};

}  // namespace

Result<Model> Model::load(const ModelSpec& spec, const TensorSource& source, Team& team) {
  Model model;
  model.spec = spec;
  Loader loader(model, source, team);
  if (auto done = loader.load(); !done) return done.error();
  return model;
}

}  // namespace aictl::cpu
