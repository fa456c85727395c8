// Decode and prefill of a synthetic model on the CPU backend, beside the ceilings of the same run.
// cpu_bench SHAPE TYPE [PROMPT [CONTEXT [SEQUENCES]]]
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <numeric>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "plugins/backends/cpu/cpu.hpp"
#include "plugins/services/inference/forward/forward.hpp"
#include "plugins/services/inference/spec/synthetic.hpp"

namespace {

using namespace aictl;
using SteadyClock = std::chrono::steady_clock;

double seconds_since(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

template <typename T>
T require(Result<T> result) {
  if (result) return std::move(result).value();
  fmt::print(stderr, "error: {}\n", result.error().message);
  std::exit(1);
}

// `rows` tokens from `position` on, of each of `sequences`, which own consecutive blocks.
struct Step {
  std::vector<int32_t> tokens, positions, tables, logit_rows;
  std::vector<SeqView> seqs;
  Step(int sequences, int rows, int position, int blocks_each, int vocab) {
    for (int s = 0; s < sequences; ++s) {
      seqs.push_back({s * rows, rows, position + rows, s * blocks_each});
      for (int i = 0; i < rows; ++i) {
        tokens.push_back((s * 7919 + (position + i) * 104729) % vocab);
        positions.push_back(position + i);
      }
      for (int b = 0; b < blocks_each; ++b) tables.push_back(s * blocks_each + b);
      logit_rows.push_back(s * rows + rows - 1);
    }
  }
  StepBatch view() const { return {tokens, positions, seqs, tables, logit_rows, {}}; }
};

double linear_params(const ModelSpec& s) {
  const double layer =
      static_cast<double>(s.hidden) * (2.0 * s.q_dim() + 2.0 * s.kv_dim()) + 3.0 * s.hidden * s.ffn;
  return layer * s.n_layers;
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<long>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  const std::string shape = argc > 1 ? argv[1] : "L1";
  const std::string type_name = argc > 2 ? argv[2] : "q8_0";
  const int prompt = argc > 3 ? std::atoi(argv[3]) : 512;
  const int context = argc > 4 ? std::atoi(argv[4]) : 0;
  const int sequences = argc > 5 ? std::atoi(argv[5]) : 1;
  const auto type = dtype_from_name(type_name);
  if (!type) return 2;

  auto backend = require(make_cpu_backend({}));
  const auto model = require(inference::SyntheticModel::make(shape, *type));
  const ModelSpec& spec = model.spec();
  const int blocks = (std::max(prompt, context + 64) + 63) / 64 + 1;
  auto start = SteadyClock::now();
  auto runner = require(backend->load(
      spec, model.tensors(), {std::max(prompt, sequences), sequences, blocks * sequences}));
  const double load = seconds_since(start);
  const auto timed = [&](const Step& step, int runs) {
    std::vector<double> times;
    for (int i = 0; i < runs; ++i) {
      start = SteadyClock::now();
      inference::forward(runner->stages(), spec, step.view(), runner->workspace());
      times.push_back(seconds_since(start));
    }
    return median(times);
  };
  const Ceilings ceilings = backend->measure();
  const Step filling(1, prompt, 0, blocks, spec.vocab);
  const double prefill = timed(filling, 3);
  const double decode = timed(Step(sequences, 1, context, blocks, spec.vocab), 15);

  const double per_row = static_cast<double>(row_bytes(*type, spec.hidden)) / spec.hidden;
  const double params = linear_params(spec), head = static_cast<double>(spec.vocab) * spec.hidden;
  const double file_bytes = (params + head) * per_row;
  const double tile_bytes = static_cast<double>(runner->weight_bytes());
  fmt::print(
      "{} {} {} x{} threads: load {:.2f} s, read {:.1f} GB/s, int8 {:.2f} TOP/s, f32 {:.2f} "
      "TFLOP/s\n",
      shape, type_name, backend->info().isa, backend->info().threads, load, ceilings.read_gbs,
      ceilings.int8_tops, ceilings.f32_tflops);
  fmt::print(
      "  decode of {} at {}: {:.2f} ms, {:.1f} tok/s, {:.1f} GB/s = {:.1f} % of read (tiles), "
      "{:.1f} % (file)\n",
      sequences, context, decode * 1e3, sequences / decode, tile_bytes / decode / 1e9,
      tile_bytes / decode / 1e7 / ceilings.read_gbs, file_bytes / decode / 1e7 / ceilings.read_gbs);
  const double ops = 2 * params * prompt / prefill / 1e12;
  fmt::print(
      "  prefill of {}: {:.1f} ms, {:.0f} tok/s, {:.3f} Top/s = {:.1f} % of int8, {:.1f} % of "
      "f32\n",
      prompt, prefill * 1e3, prompt / prefill, ops, 100 * ops / ceilings.int8_tops,
      100 * ops / ceilings.f32_tflops);
}
