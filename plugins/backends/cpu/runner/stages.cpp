#include "plugins/backends/cpu/runner/stages.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/base/check.hpp"

namespace aictl::cpu {
namespace {

int64_t groups_of(int64_t cols) { return (cols + kGroup - 1) / kGroup; }

int64_t widest_input(const ModelSpec& spec) { return std::max(spec.hidden, spec.q_dim()); }

size_t padded_head(const ModelSpec& spec) { return static_cast<size_t>(padded(spec.head_dim)); }

size_t rows_of(const RunnerOptions& options) {
  return static_cast<size_t>(std::max(options.max_rows, options.max_logit_rows));
}

// Work worth handing to another worker, in bytes read at the pace of one core: about 5 us.
constexpr int64_t kWorthSharing = 64 << 10;

// Strips that are worth sharing: a token's arithmetic on a weight takes as long as reading two
// bytes.
int64_t strip_grain(const Matrix& matrix, int rows) {
  return 1 + kWorthSharing / (static_cast<int64_t>(matrix.stride) + 2 * rows * matrix.cols);
}

// The same of rows of `cols` floats to norm, quantise or copy.
int64_t row_grain(int64_t cols) { return 1 + kWorthSharing / 4 / std::max<int64_t>(cols, 1); }

// out[token][32 * strip + r] = sums * scale + bias.
void store_strip(const float* sums, const Activations& in, const float* bias, int64_t strip,
                 int64_t matrix_rows, Act out) {
  const int64_t first = strip * kStripRows;
  const int n = static_cast<int>(std::min<int64_t>(kStripRows, matrix_rows - first));
  for (int t = 0; t < in.rows; ++t, sums += kStripRows) {
    float* to = out.row(t) + first;
    const float scale = in.output_scale ? in.output_scale[t] : 1.0f;
    if (bias) {
      for (int r = 0; r < n; ++r) to[r] = sums[r] * scale + bias[first + r];
    } else {
      for (int r = 0; r < n; ++r) to[r] = sums[r] * scale;
    }
  }
}

void add_strip(const float* sums, const Activations& in, int64_t strip, int64_t matrix_rows,
               Act out) {
  const int64_t first = strip * kStripRows;
  const int n = static_cast<int>(std::min<int64_t>(kStripRows, matrix_rows - first));
  for (int t = 0; t < in.rows; ++t, sums += kStripRows) {
    float* to = out.row(t) + first;
    for (int r = 0; r < n; ++r) to[r] += sums[r];
  }
}

}  // namespace

size_t Stages::bytes(const ModelSpec& spec, const RunnerOptions& options, int workers) {
  const size_t rows = rows_of(options);
  const auto activations = [&](int64_t cols) {
    const auto groups = static_cast<size_t>(groups_of(cols));
    return Arena::taken(groups * rows * sizeof(ActGroup)) +
           Arena::taken(groups * rows * kGroup * sizeof(float));
  };
  const size_t worker = 2 * Arena::taken(rows * kStripRows * sizeof(float)) +
                        Arena::taken(2 * sizeof(UnpackedGroup)) +
                        Arena::taken(2 * kAttendRows * padded_head(spec) * sizeof(float)) +
                        Arena::taken(padded_head(spec) * sizeof(float));
  return activations(widest_input(spec)) + activations(spec.ffn) +
         Arena::taken(rows * sizeof(float)) + static_cast<size_t>(workers) * worker;
}

Stages::Stages(const Model& model, const Kernels& kernels, Team& team, KvPool& kv, Arena& arena,
               const RunnerOptions& options)
    : model_(model),
      spec_(model.spec),
      kernels_(kernels),
      team_(team),
      kv_(kv),
      attention_(model.spec, kernels, kv, options.max_rows),
      rope_(model.spec.rope, options.max_rows),
      block_of_row_(static_cast<size_t>(options.max_rows)),
      scratch_(static_cast<size_t>(team.size())) {
  const size_t rows = rows_of(options);
  const auto activations = [&](int64_t cols) {
    const auto groups = static_cast<size_t>(groups_of(cols));
    Activations out;
    out.quantized = arena.take_array<ActGroup>(groups * rows);
    out.dense = arena.take_array<float>(groups * rows * kGroup);
    return out;
  };
  in_ = activations(widest_input(spec_));
  ffn_ = activations(spec_.ffn);
  inverse_rms_ = arena.take_array<float>(rows);
  for (WorkerScratch& scratch : scratch_) {
    scratch.sums = arena.take_array<float>(rows * kStripRows);
    scratch.more_sums = arena.take_array<float>(rows * kStripRows);
    scratch.unpacked = arena.take_array<UnpackedGroup>(2);
    scratch.attention = arena.take_array<float>(2 * kAttendRows * padded_head(spec_));
    scratch.head = arena.take_array<float>(padded_head(spec_));
  }
}

Stages::Form Stages::form_of(std::initializer_list<const Matrix*> matrices) {
  Form form;
  for (const Matrix* m : matrices) (is_dense(m->kind) ? form.dense : form.quantized) = true;
  return form;
}

Activations Stages::inputs(int rows) const {
  Activations out = in_;
  out.rows = rows;
  return out;
}

// Puts a whole row of activations in place; x and gain are zero past `cols`, up to a block's end.
void Stages::put_row(const float* x, const float* gain, int64_t cols, int token, Form form,
                     const Activations& out) const {
  for (int64_t k = 0; k < cols; k += kGroup) {
    const int n = static_cast<int>(std::min<int64_t>(kGroup, padded(cols - k)));
    put_activations(kernels_, x + k, gain ? gain + k : nullptr, k, n, token, form.quantized,
                    form.dense, out);
  }
}

// The gain goes into the activations, 1/rms to the outputs.
void Stages::put_normed_row(const float* x, const float* gain, int token, Form form,
                            const Activations& out) const {
  const float mean =
      kernels_.sum_squares(x, padded(spec_.hidden)) / static_cast<float>(spec_.hidden);
  inverse_rms_[token] = 1.0f / std::sqrt(mean + spec_.norm_eps);
  put_row(x, gain, spec_.hidden, token, form, out);
}

// Hands work(scratch, begin, end) the strips of a matrix.
template <typename Work>
void Stages::share_strips(const Matrix& matrix, int rows, const Work& work) {
  team_.share(matrix.strips(), strip_grain(matrix, rows),
              [&](int worker, int64_t begin, int64_t end) {
                work(scratch_[static_cast<size_t>(worker)], begin, end);
              });
}

void Stages::put_normed_rows(Act x, const float* gain, Form form, const Activations& out) {
  team_.share(out.rows, row_grain(spec_.hidden), [&](int, int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t)
      put_normed_row(x.row(static_cast<int>(t)), gain, static_cast<int>(t), form, out);
  });
}

void Stages::begin(const StepBatch& batch) {
  attention_.plan(batch);
  for (const SeqView& seq : batch.seqs) {
    for (int row = seq.first_row; row < seq.first_row + seq.n_rows; ++row) {
      const auto r = static_cast<size_t>(row);
      const auto entry = static_cast<size_t>(seq.table + batch.positions[r] / kKvBlockTokens);
      block_of_row_[r] = batch.block_tables[entry];
    }
  }
  team_.share(batch.rows(), row_grain(spec_.rope.dims * 8), [&](int, int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row)
      rope_.set(static_cast<int>(row), batch.positions[static_cast<size_t>(row)]);
  });
}

void Stages::embed(const StepBatch& batch, Act x) {
  team_.share(batch.rows(), row_grain(spec_.hidden), [&](int, int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int32_t token = batch.tokens[static_cast<size_t>(row)];
      CHECK(token >= 0 && token < spec_.vocab);
      unpack_row(kernels_, model_.embedding, token, x.row(static_cast<int>(row)));
    }
  });
}

void Stages::qkv(int layer, const StepBatch& batch, Act x, Act q, Act k, Act v) {
  const Layer& weights = model_.layers[static_cast<size_t>(layer)];
  const Matrix* matrices[] = {&weights.q, &weights.k, &weights.v};
  const float* biases[] = {weights.q_bias, weights.k_bias, weights.v_bias};
  const Act outputs[] = {q, k, v};
  const Form form = form_of({&weights.q, &weights.k, &weights.v});
  Activations in = inputs(batch.rows());
  in.output_scale = inverse_rms_;
  put_normed_rows(x, weights.attn_norm, form, in);
  const int64_t strips = weights.q.strips() + weights.k.strips() + weights.v.strips();
  team_.share(strips, strip_grain(weights.q, in.rows), [&](int worker, int64_t begin, int64_t end) {
    const WorkerScratch& scratch = scratch_[static_cast<size_t>(worker)];
    for (int i = 0; i < 3; ++i) {
      const Matrix& matrix = *matrices[i];
      const int64_t last = std::min(end, matrix.strips());
      for (int64_t s = std::max<int64_t>(begin, 0); s < last; ++s) {
        multiply_strip(kernels_, matrix, s, in, scratch.unpacked, scratch.sums);
        store_strip(scratch.sums, in, biases[i], s, matrix.rows, outputs[i]);
      }
      begin -= matrix.strips();
      end -= matrix.strips();
    }
  });
}

void Stages::norm_head(const float* gain, float* head, const WorkerScratch& scratch) const {
  const int dim = spec_.head_dim;
  std::memcpy(scratch.head, head, static_cast<size_t>(dim) * sizeof(float));
  std::fill(scratch.head + dim, scratch.head + padded(dim), 0.0f);
  const float mean = kernels_.sum_squares(scratch.head, padded(dim)) / static_cast<float>(dim);
  const float inverse = 1.0f / std::sqrt(mean + spec_.norm_eps);
  for (int d = 0; d < dim; ++d) head[d] = gain[d] * (head[d] * inverse);
}

// One KV head of one row: its queries are normed, rotated and scaled in place, its key and value go
// to their block.
void Stages::rotate_and_append(int layer, const StepBatch& batch, int row, int head, Act q, Act k,
                               Act v, const WorkerScratch& scratch) {
  const Layer& weights = model_.layers[static_cast<size_t>(layer)];
  const int dim = spec_.head_dim, group = spec_.n_heads / spec_.n_kv_heads;
  for (int g = 0; g < group; ++g) {
    float* query = q.row(row) + (head * group + g) * dim;
    if (weights.q_norm) norm_head(weights.q_norm, query, scratch);
    rope_.turn(row, query);
    for (int d = 0; d < dim; ++d) query[d] *= spec_.attn_scale;
  }
  float* key = k.row(row) + head * dim;
  if (weights.k_norm) norm_head(weights.k_norm, key, scratch);
  rope_.turn(row, key);

  const int block = block_of_row_[static_cast<size_t>(row)];
  const int slot = batch.positions[static_cast<size_t>(row)] % kKvBlockTokens;
  const size_t bytes = static_cast<size_t>(dim) * sizeof(float);
  std::fill(scratch.head + dim, scratch.head + padded(dim), 0.0f);
  std::memcpy(scratch.head, key, bytes);
  kv_.put_key(kernels_, scratch.head, block, layer, head, slot);
  std::memcpy(scratch.head, v.row(row) + head * dim, bytes);
  kv_.put_value(kernels_, scratch.head, block, layer, head, slot);
}

void Stages::attend(int layer, const StepBatch& batch, Act q, Act k, Act v, Act o) {
  const int heads = spec_.n_kv_heads;
  const int64_t head_cols = int64_t{2} * spec_.head_dim * (spec_.n_heads / heads + 2);
  team_.share(int64_t{batch.rows()} * heads, row_grain(head_cols),
              [&](int worker, int64_t begin, int64_t end) {
                const WorkerScratch& scratch = scratch_[static_cast<size_t>(worker)];
                for (int64_t i = begin; i < end; ++i)
                  rotate_and_append(layer, batch, static_cast<int>(i / heads),
                                    static_cast<int>(i % heads), q, k, v, scratch);
              });
  const int64_t bytes = attention_.unit_bytes();
  team_.share(attention_.units(), 1 + kWorthSharing / bytes,
              [&](int worker, int64_t begin, int64_t end) {
                const WorkerScratch& scratch = scratch_[static_cast<size_t>(worker)];
                for (int64_t unit = begin; unit < end; ++unit)
                  attention_.run(layer, batch, unit, q, o, scratch);
              });
}

void Stages::attn_out(int layer, const StepBatch& batch, Act o, Act x) {
  const Matrix& matrix = model_.layers[static_cast<size_t>(layer)].attn_out;
  const Form form = form_of({&matrix});
  const Activations in = inputs(batch.rows());
  team_.share(in.rows, row_grain(spec_.q_dim()), [&](int, int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t)
      put_row(o.row(static_cast<int>(t)), nullptr, spec_.q_dim(), static_cast<int>(t), form, in);
  });
  share_strips(matrix, in.rows, [&](const WorkerScratch& scratch, int64_t begin, int64_t end) {
    for (int64_t s = begin; s < end; ++s) {
      multiply_strip(kernels_, matrix, s, in, scratch.unpacked, scratch.sums);
      add_strip(scratch.sums, in, s, matrix.rows, x);
    }
  });
}

// silu(gate) * up of one strip, all tokens, as activations of the down projection.
void Stages::put_products(const Activations& in, int64_t strip, Form form,
                          const WorkerScratch& scratch, const Activations& out) const {
  for (int t = 0; t < in.rows; ++t) {
    float* gate = scratch.sums + t * kStripRows;
    kernels_.silu_mul(gate, scratch.more_sums + t * kStripRows, in.output_scale[t], gate,
                      kStripRows);
    put_activations(kernels_, gate, nullptr, strip * kStripRows, kStripRows, t, form.quantized,
                    form.dense, out);
  }
}

void Stages::ffn_in(int layer, const StepBatch& batch, Act x, Act) {
  const Layer& weights = model_.layers[static_cast<size_t>(layer)];
  const Form form = form_of({&weights.gate, &weights.up}), form_out = form_of({&weights.down});
  Activations in = inputs(batch.rows()), out = ffn_;
  in.output_scale = inverse_rms_;
  out.rows = in.rows;
  put_normed_rows(x, weights.ffn_norm, form, in);
  share_strips(weights.gate, in.rows,
               [&](const WorkerScratch& scratch, int64_t begin, int64_t end) {
                 for (int64_t s = begin; s < end; ++s) {
                   multiply_strip(kernels_, weights.gate, s, in, scratch.unpacked, scratch.sums);
                   multiply_strip(kernels_, weights.up, s, in, scratch.unpacked, scratch.more_sums);
                   put_products(in, s, form_out, scratch, out);
                 }
               });
}

void Stages::ffn_out(int layer, const StepBatch& batch, Act, Act x) {
  const Matrix& matrix = model_.layers[static_cast<size_t>(layer)].down;
  Activations in = ffn_;
  in.rows = batch.rows();
  share_strips(matrix, in.rows, [&](const WorkerScratch& scratch, int64_t begin, int64_t end) {
    for (int64_t s = begin; s < end; ++s) {
      multiply_strip(kernels_, matrix, s, in, scratch.unpacked, scratch.sums);
      add_strip(scratch.sums, in, s, matrix.rows, x);
    }
  });
}

void Stages::head(const StepBatch& batch, Act x, Act logits, Act hidden) {
  const Matrix& matrix = model_.head;
  const Form form = form_of({&matrix});
  Activations in = inputs(static_cast<int>(batch.logit_rows.size()));
  in.output_scale = inverse_rms_;
  const auto wanted = static_cast<int64_t>(batch.hidden_rows.size());
  team_.share(wanted, row_grain(spec_.hidden), [&](int, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const float* from = x.row(batch.hidden_rows[static_cast<size_t>(i)]);
      const float mean =
          kernels_.sum_squares(from, padded(spec_.hidden)) / static_cast<float>(spec_.hidden);
      const float inverse = 1.0f / std::sqrt(mean + spec_.norm_eps);
      float* to = hidden.row(static_cast<int>(i));
      for (int d = 0; d < spec_.hidden; ++d) to[d] = model_.final_norm[d] * (from[d] * inverse);
    }
  });
  if (in.rows == 0) return;
  team_.share(in.rows, row_grain(spec_.hidden), [&](int, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      put_normed_row(x.row(batch.logit_rows[static_cast<size_t>(i)]), model_.final_norm,
                     static_cast<int>(i), form, in);
  });
  share_strips(matrix, in.rows, [&](const WorkerScratch& scratch, int64_t begin, int64_t end) {
    for (int64_t s = begin; s < end; ++s) {
      multiply_strip(kernels_, matrix, s, in, scratch.unpacked, scratch.sums);
      store_strip(scratch.sums, in, nullptr, s, matrix.rows, logits);
    }
  });
}

}  // namespace aictl::cpu
