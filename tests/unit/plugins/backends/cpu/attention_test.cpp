// Attention over paged blocks against double arithmetic, and its independence of chunking.
#include "plugins/backends/cpu/runner/attention.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <doctest/doctest.h>

#include "plugins/backends/cpu/kernels/choose.hpp"
#include "tests/unit/plugins/backends/cpu/random_weights.hpp"

using namespace aictl;
using namespace aictl::cpu;
using namespace aictl::cpu::test;

namespace {

// One sequence of `length` tokens with keys and values in scattered blocks.
struct Sequence {
  ModelSpec spec;
  int length;
  std::vector<float> q, k, v;  // [length][heads * dim]
  std::vector<int32_t> table;
  KvPool kv;

  Sequence(std::mt19937& random, const Kernels& kernels, int heads, int kv_heads, int dim, int n,
           DType kv_type = DType::kF16)
      : length(n) {
    spec.kv_type = kv_type;
    spec.n_layers = 2, spec.n_heads = heads, spec.n_kv_heads = kv_heads, spec.head_dim = dim;
    q = random_floats(random, int64_t{n} * heads * dim);
    k = random_floats(random, int64_t{n} * kv_heads * dim);
    v = random_floats(random, int64_t{n} * kv_heads * dim);
    const int blocks = (n + kKvBlockTokens - 1) / kKvBlockTokens;
    table.resize(static_cast<size_t>(blocks));
    std::iota(table.rbegin(), table.rend(), 1);
    auto pool = KvPool::make(spec, blocks + 1);
    REQUIRE(pool.ok());
    kv = std::move(*pool);
    std::vector<float> padded_head(static_cast<size_t>(dim + 32));
    for (int t = 0; t < n; ++t) {
      for (int h = 0; h < kv_heads; ++h) {
        const int64_t at = (int64_t{t} * kv_heads + h) * dim;
        const int block = table[static_cast<size_t>(t / kKvBlockTokens)];
        std::copy_n(k.begin() + at, dim, padded_head.begin());
        kv.put_key(kernels, padded_head.data(), block, 1, h, t % kKvBlockTokens);
        std::copy_n(v.begin() + at, dim, padded_head.begin());
        kv.put_value(kernels, padded_head.data(), block, 1, h, t % kKvBlockTokens);
      }
    }
  }

  // Output of rows first..length-1, processed `chunk` rows a step.
  std::vector<float> run(const Kernels& kernels, int first, int chunk) {
    const int q_dim = spec.q_dim();
    Attention attention(spec, kernels, kv, chunk);
    std::vector<float> scratch(static_cast<size_t>(2 * kAttendRows * kv.padded_dim()));
    std::vector<float> out(static_cast<size_t>((length - first) * q_dim));
    for (int start = first; start < length; start += chunk) {
      const int rows = std::min(chunk, length - start);
      std::vector<int32_t> positions(static_cast<size_t>(rows)), tokens(positions.size());
      std::iota(positions.begin(), positions.end(), start);
      const std::vector<SeqView> seqs = {{0, rows, start + rows, 0}};
      const StepBatch batch{tokens, positions, seqs, table, {}, {}};
      attention.plan(batch);
      WorkerScratch worker;
      worker.attention = scratch.data();
      for (int64_t unit = 0; unit < attention.units(); ++unit)
        attention.run(1, batch, unit, {q.data() + start * q_dim, DType::kF32, rows, q_dim, q_dim},
                      {out.data() + (start - first) * q_dim, DType::kF32, rows, q_dim, q_dim},
                      worker);
    }
    return out;
  }

  std::vector<double> exact(int first) const {
    std::vector<double> out;
    const int group = spec.n_heads / spec.n_kv_heads, dim = spec.head_dim;
    for (int row = first; row < length; ++row) {
      for (int head = 0; head < spec.n_heads; ++head) {
        const float* query = q.data() + (int64_t{row} * spec.n_heads + head) * dim;
        std::vector<double> weights;
        double sum = 0;
        for (int t = 0; t <= row; ++t) {
          const float* key = k.data() + (int64_t{t} * spec.n_kv_heads + head / group) * dim;
          weights.push_back(std::exp(std::inner_product(query, query + dim, key, 0.0)));
          sum += weights.back();
        }
        for (int d = 0; d < dim; ++d) {
          double value = 0;
          for (int t = 0; t <= row; ++t)
            value += weights[static_cast<size_t>(t)] *
                     v[static_cast<size_t>((t * spec.n_kv_heads + head / group) * dim + d)];
          out.push_back(value / sum);
        }
      }
    }
    return out;
  }
};

}  // namespace

TEST_CASE("attention: any shape is within 2e-3 of double with an f16 cache, 1e-5 with f32") {
  std::mt19937 random(1);
  struct Shape {
    int heads, kv_heads, dim, length;
  };
  for (const Shape& s : {Shape{1, 1, 16, 1}, Shape{4, 2, 10, 65}, Shape{7, 1, 24, 130},
                         Shape{8, 2, 64, 200}, Shape{2, 2, 128, 1100}}) {
    for (const Kernels* kernels : supported_kernels()) {
      Sequence sequence(random, *kernels, s.heads, s.kv_heads, s.dim, s.length);
      for (float& x : sequence.q) x /= std::sqrt(static_cast<float>(s.dim));
      const int first = std::max(0, s.length - 40);
      CHECK_LE(relative_error(sequence.run(*kernels, first, 40), sequence.exact(first)), 2e-3);
      Sequence single(random, *kernels, s.heads, s.kv_heads, s.dim, s.length, DType::kF32);
      for (float& x : single.q) x /= std::sqrt(static_cast<float>(s.dim));
      CHECK_LE(relative_error(single.run(*kernels, first, 40), single.exact(first)), 1e-5);
    }
  }
}

TEST_CASE("attention: a query's bits do not depend on instruction set, chunk or its neighbours") {
  std::mt19937 random(2);
  for (int length : {70, 540, 1100}) {
    Sequence sequence(random, kScalarKernels, 6, 2, 32, length,
                      length == 540 ? DType::kF32 : DType::kF16);
    const int first = length - 45;  // in 540, the split at 512 falls among these rows
    const std::vector<float> right = sequence.run(kScalarKernels, first, 45);
    for (const Kernels* kernels : supported_kernels())
      for (int chunk : {1, 2, 7, 45}) CHECK(sequence.run(*kernels, first, chunk) == right);
  }
}

TEST_CASE("attention: what lies in a block after the last token is never looked at") {
  std::mt19937 random(3);
  for (const Kernels* kernels : supported_kernels()) {
    Sequence sequence(random, *kernels, 4, 2, 16, 37);
    const std::vector<float> clean = sequence.run(*kernels, 0, 37);
    const std::vector<float> poison(32, NAN);
    for (int head = 0; head < 2; ++head) {
      for (int slot = 37; slot < kKvBlockTokens; ++slot) {
        sequence.kv.put_key(*kernels, poison.data(), sequence.table[0], 1, head, slot);
        sequence.kv.put_value(*kernels, poison.data(), sequence.table[0], 1, head, slot);
      }
    }
    CHECK(sequence.run(*kernels, 0, 37) == clean);
  }
}
