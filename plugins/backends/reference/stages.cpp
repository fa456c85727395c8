#include "plugins/backends/reference/stages.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/base/check.hpp"

namespace aictl::reference {
namespace {

double dot(const float* a, const float* b, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}

}  // namespace

KvBlocks::KvBlocks(const ModelSpec& spec, int blocks)
    : blocks_(blocks),
      layers_(spec.n_layers),
      row_(static_cast<size_t>(spec.kv_dim())),
      data_(static_cast<size_t>(blocks) * block_bytes(spec) / sizeof(float)) {}

size_t KvBlocks::block_bytes(const ModelSpec& spec) {
  return static_cast<size_t>(spec.n_layers) * 2 * kKvBlockTokens *
         static_cast<size_t>(spec.kv_dim()) * sizeof(float);
}

float* KvBlocks::at(int block, int layer, int kind, int slot) {
  CHECK(block >= 0 && block < blocks_);
  const size_t plane =
      (static_cast<size_t>(block) * static_cast<size_t>(layers_) + static_cast<size_t>(layer)) * 2 +
      static_cast<size_t>(kind);
  return data_.data() + (plane * kKvBlockTokens + static_cast<size_t>(slot)) * row_;
}

void KvBlocks::copy(int from, int to, int tokens) {
  CHECK(tokens >= 0 && tokens <= kKvBlockTokens);
  if (tokens == 0) return;
  const size_t bytes = static_cast<size_t>(tokens) * row_ * sizeof(float);
  for (int layer = 0; layer < layers_; ++layer) {
    std::memmove(key(to, layer, 0), key(from, layer, 0), bytes);
    std::memmove(value(to, layer, 0), value(from, layer, 0), bytes);
  }
}

void KvBlocks::read(int block, std::span<std::byte> out) const {
  const size_t floats = data_.size() / static_cast<size_t>(blocks_);
  CHECK(block >= 0 && block < blocks_ && out.size() == floats * sizeof(float));
  std::memcpy(out.data(), data_.data() + static_cast<size_t>(block) * floats, out.size());
}

void KvBlocks::write(int block, std::span<const std::byte> in) {
  CHECK(in.size() == data_.size() / static_cast<size_t>(blocks_) * sizeof(float));
  std::memcpy(key(block, 0, 0), in.data(), in.size());
}

Stages::Stages(const ModelSpec& spec, const TensorSource& source, KvBlocks& kv,
               const StageScratch& scratch)
    : PrimitiveStages(spec, scratch),
      source_(source),
      kv_(kv),
      row_(static_cast<size_t>(std::max({spec.hidden, spec.ffn, spec.q_dim()}))),
      sums_(static_cast<size_t>(spec.head_dim)) {}

const float* Stages::decoded(TensorId id, int64_t row) {
  const TensorView view = source_.get(id);
  CHECK(view.data && row >= 0 && row < view.rows);
  CHECK(static_cast<size_t>(view.cols) <= row_.size());
  dequant_row(view.type, view.data + static_cast<size_t>(row) * view.row_bytes, row_.data(),
              view.cols);
  return row_.data();
}

void Stages::gather_weights(TensorId table, std::span<const int32_t> rows, Act out) {
  for (size_t r = 0; r < rows.size(); ++r)
    std::memcpy(out.row(static_cast<int>(r)), decoded(table, rows[r]),
                static_cast<size_t>(out.cols) * sizeof(float));
}

void Stages::gather(Act in, std::span<const int32_t> rows, Act out) {
  for (size_t r = 0; r < rows.size(); ++r) {
    CHECK(rows[r] >= 0 && rows[r] < in.rows);
    std::memcpy(out.row(static_cast<int>(r)), in.row(rows[r]),
                static_cast<size_t>(out.cols) * sizeof(float));
  }
}

void Stages::linear(TensorId weight, Act in, Act out) {
  for (int c = 0; c < out.cols; ++c) {
    const float* w = decoded(weight, c);
    for (int r = 0; r < in.rows; ++r)
      out.row(r)[c] = static_cast<float>(dot(w, in.row(r), in.cols));
  }
}

void Stages::add_bias(TensorId bias, Act inout) {
  const float* b = decoded(bias, 0);
  for (int r = 0; r < inout.rows; ++r)
    for (int c = 0; c < inout.cols; ++c) inout.row(r)[c] += b[c];
}

void Stages::rmsnorm(TensorId gain, Act in, int width, Act out) {
  const float* g = decoded(gain, 0);
  for (int r = 0; r < in.rows; ++r)
    for (int start = 0; start < in.cols; start += width) {
      const float* from = in.row(r) + start;
      float* to = out.row(r) + start;
      const double scale = 1 / std::sqrt(dot(from, from, width) / width + double{spec().norm_eps});
      for (int c = 0; c < width; ++c)
        to[c] = static_cast<float>(double{from[c]} * scale * double{g[c]});
    }
}

void Stages::rope(std::span<const int32_t> positions, Act inout) {
  const Rope& rope = spec().rope;
  const int pairs = rope.dims / 2;
  for (int r = 0; r < inout.rows; ++r)
    for (int i = 0; i < pairs; ++i) {
      const double angle =
          positions[static_cast<size_t>(r)] * rope.inv_freq[static_cast<size_t>(i)];
      const double c = std::cos(angle) * double{rope.amplitude};
      const double s = std::sin(angle) * double{rope.amplitude};
      const int a = rope.style == RopeStyle::kPair ? 2 * i : i;
      const int b = rope.style == RopeStyle::kPair ? 2 * i + 1 : i + pairs;
      for (float* head = inout.row(r); head < inout.row(r) + inout.cols; head += spec().head_dim) {
        const double x = head[a], y = head[b];
        head[a] = static_cast<float>(x * c - y * s);
        head[b] = static_cast<float>(x * s + y * c);
      }
    }
}

void Stages::kv_append(int layer, const StepBatch& batch, Act k, Act v) {
  const size_t bytes = static_cast<size_t>(k.cols) * sizeof(float);
  for (const SeqView& seq : batch.seqs)
    for (int i = 0; i < seq.n_rows; ++i) {
      const int row = seq.first_row + i;
      const int position = batch.positions[static_cast<size_t>(row)];
      const int block =
          batch.block_tables[static_cast<size_t>(seq.table + position / kKvBlockTokens)];
      std::memcpy(kv_.key(block, layer, position % kKvBlockTokens), k.row(row), bytes);
      std::memcpy(kv_.value(block, layer, position % kKvBlockTokens), v.row(row), bytes);
    }
}

void Stages::attention(int layer, const StepBatch& batch, Act q, Act o) {
  for (const SeqView& seq : batch.seqs)
    for (int i = 0; i < seq.n_rows; ++i) {
      const int row = seq.first_row + i;
      const int length = batch.positions[static_cast<size_t>(row)] + 1;  // causal: itself included
      attend_row(layer, batch.block_tables.subspan(static_cast<size_t>(seq.table)), length,
                 q.row(row), o.row(row));
    }
}

void Stages::attend_row(int layer, std::span<const int32_t> table, int length, const float* q,
                        float* o) {
  const int dim = spec().head_dim, group = spec().n_heads / spec().n_kv_heads;
  if (scores_.size() < static_cast<size_t>(length)) scores_.resize(static_cast<size_t>(length));
  for (int head = 0; head < spec().n_heads; ++head) {
    const int offset = head / group * dim;  // of the kv head in a row
    double largest = -INFINITY;
    for (int t = 0; t < length; ++t) {
      const int block = table[static_cast<size_t>(t / kKvBlockTokens)];
      scores_[static_cast<size_t>(t)] =
          dot(q + head * dim, kv_.key(block, layer, t % kKvBlockTokens) + offset, dim) *
          double{spec().attn_scale};
      largest = std::max(largest, scores_[static_cast<size_t>(t)]);
    }
    double total = 0;
    std::fill(sums_.begin(), sums_.end(), 0.0);
    for (int t = 0; t < length; ++t) {
      const double weight = std::exp(scores_[static_cast<size_t>(t)] - largest);
      const int block = table[static_cast<size_t>(t / kKvBlockTokens)];
      const float* value = kv_.value(block, layer, t % kKvBlockTokens) + offset;
      total += weight;
      for (int d = 0; d < dim; ++d) sums_[static_cast<size_t>(d)] += weight * double{value[d]};
    }
    for (int d = 0; d < dim; ++d)
      o[head * dim + d] = static_cast<float>(sums_[static_cast<size_t>(d)] / total);
  }
}

void Stages::act_mul(Act gate, Act up) {
  for (int r = 0; r < gate.rows; ++r)
    for (int c = 0; c < gate.cols; ++c) {
      const double g = gate.row(r)[c];
      gate.row(r)[c] = static_cast<float>(g / (1 + std::exp(-g)) * double{up.row(r)[c]});
    }
}

void Stages::add(Act in, Act inout) {
  for (int r = 0; r < in.rows; ++r)
    for (int c = 0; c < in.cols; ++c) inout.row(r)[c] += in.row(r)[c];
}

}  // namespace aictl::reference
