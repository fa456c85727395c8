#include "plugins/services/inference/local/bench.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <memory>
#include <numeric>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "core/base/memory.hpp"
#include "plugins/services/inference/forward/forward.hpp"
#include "plugins/services/inference/load/model.hpp"
#include "plugins/services/inference/local/plan.hpp"
#include "plugins/services/inference/spec/synthetic.hpp"

namespace aictl::inference {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr double kQuietShare = 0.95;  // of our cores' time; below, somebody else computes too

// What a step reads and multiplies: every matrix once; of an embedding that is not the head, only
// rows.
struct Work {
  double matrix_bytes = 0, linear_parameters = 0, head_parameters = 0;
  bool quantised = false;
};

Work work_of(const ModelSpec& spec, const TensorSource& tensors) {
  Work work;
  const auto add = [&](TensorId id, double& parameters) {
    const TensorView view = tensors.get(id);
    if (!view.data) return;
    work.matrix_bytes +=
        static_cast<double>(view.rows) * static_cast<double>(row_bytes(view.type, view.cols));
    parameters += static_cast<double>(view.rows) * static_cast<double>(view.cols);
    work.quantised |= format(view.type).block > 1;
  };
  for (int layer = 0; layer < spec.n_layers; ++layer)
    for (const Slot slot :
         {Slot::kQ, Slot::kK, Slot::kV, Slot::kAttnOut, Slot::kGate, Slot::kUp, Slot::kDown})
      add({slot, layer}, work.linear_parameters);
  add({Slot::kHead}, work.head_parameters);
  return work;
}

// Sequences of one length, side by side in the KV pool, stepped by hand: what is timed is the model
// and nothing else.
class Stepper {
 public:
  Stepper(Runner& runner, const ModelSpec& spec, int sequences, int capacity)
      : runner_(runner), spec_(spec), blocks_((capacity + kKvBlockTokens - 1) / kKvBlockTokens) {
    tables_.resize(static_cast<size_t>(sequences * blocks_));
    std::iota(tables_.begin(), tables_.end(), 0);
  }

  // Computes positions [from, from + count) of sequences [first, first + sequences); returns how
  // long it took.
  double step(int from, int count, int first, int sequences, bool logits) {
    tokens_.clear(), positions_.clear(), seqs_.clear(), logit_rows_.clear();
    for (int s = first; s < first + sequences; ++s) {
      const int row = static_cast<int>(tokens_.size());
      seqs_.push_back({row, count, from + count, s * blocks_});
      for (int p = from; p < from + count; ++p) {
        tokens_.push_back(static_cast<int32_t>((int64_t{p} * 7919 + s * 104729 + 1) % spec_.vocab));
        positions_.push_back(p);
      }
      if (logits) logit_rows_.push_back(static_cast<int32_t>(tokens_.size()) - 1);
    }
    const StepBatch batch{tokens_, positions_, seqs_, tables_, logit_rows_, {}};
    const auto start = std::chrono::steady_clock::now();
    forward(runner_.stages(), spec_, batch, runner_.workspace());
    return Seconds(std::chrono::steady_clock::now() - start).count();
  }

  double prefill(int tokens, int chunk, int sequence) {
    double seconds = 0;
    for (int at = 0; at < tokens; at += chunk) {
      const int count = std::min(chunk, tokens - at);
      seconds += step(at, count, sequence, 1, at + count == tokens);
    }
    return seconds;
  }

 private:
  Runner& runner_;
  const ModelSpec& spec_;
  int blocks_;
  std::vector<int32_t> tables_, tokens_, positions_, logit_rows_;
  std::vector<SeqView> seqs_;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

Json backend_json(const Backend& backend) {
  const BackendInfo info = backend.info();
  return {
      {"name", info.name}, {"isa", info.isa}, {"threads", info.threads}, {"device", info.device}};
}

Json ceilings_json(const Ceilings& c) {
  return {{"read_gbs", c.read_gbs}, {"int8_tops", c.int8_tops}, {"f32_tflops", c.f32_tflops}};
}

// Either kind of model behind one face.
struct Subject {
  std::optional<Model> file;
  std::optional<SyntheticModel> synthetic;
  std::string name;

  const ModelSpec& spec() const { return file ? file->spec() : synthetic->spec(); }
  const TensorSource& tensors() const { return file ? file->tensors() : synthetic->tensors(); }
  uint64_t weight_bytes() const { return file ? file->weight_bytes() : synthetic->weight_bytes(); }
};

Result<Subject> open_subject(const BenchOptions& options) {
  Subject subject;
  if (!options.model.empty()) {
    auto model = Model::open(options.model);
    if (!model) return std::move(model).error();
    subject.name = options.model.filename().string();
    subject.file = std::move(*model);
    return subject;
  }
  const auto type = dtype_from_name(options.dtype);
  if (!type)
    return Error{ErrorCode::kInvalidArgument, fmt::format("no element type '{}'", options.dtype),
                 "such as q8_0"};
  auto model = SyntheticModel::make(options.synthetic, *type);
  if (!model) return std::move(model).error();
  subject.name = options.synthetic;
  subject.synthetic = std::move(*model);
  return subject;
}

// One repetition, and the machine's limits around it: a neighbour on the host moves both, so a
// share is of the ceilings of its own moment.
struct Sample {
  double prefill_seconds, step_seconds;
  double core_share;  // of the time of our cores, what this process had
  Ceilings ceilings;  // the better of just before and just after
};

Ceilings better(const Ceilings& a, const Ceilings& b) {
  return {std::max(a.read_gbs, b.read_gbs), std::max(a.int8_tops, b.int8_tops),
          std::max(a.f32_tflops, b.f32_tflops)};
}

std::vector<Sample> measure(Stepper& stepper, const BenchOptions& options, int chunk,
                            Backend& backend) {
  stepper.prefill(options.prompt_tokens, chunk, 0);  // warms caches and pages
  const int depth = std::max(options.context, 1);
  for (int s = 0; s < options.batch; ++s) stepper.prefill(depth, chunk, s);
  std::vector<Sample> samples;
  Ceilings before = backend.measure();
  for (int i = 0; i < options.repeat; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const std::clock_t cpu_start = std::clock();
    Sample sample{};
    sample.prefill_seconds = stepper.prefill(options.prompt_tokens, chunk, 0);
    std::vector<double> steps;
    for (int t = 0; t < options.decode_tokens; ++t)
      steps.push_back(stepper.step(depth + t, 1, 0, options.batch, true));
    sample.step_seconds = median(steps);
    const double cpu_seconds = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
    sample.core_share = cpu_seconds / Seconds(std::chrono::steady_clock::now() - start).count() /
                        backend.info().threads;
    const Ceilings after = backend.measure();
    sample.ceilings = better(before, after);
    before = after;
    samples.push_back(sample);
  }
  return samples;
}

// The median of what `value` says of each sample.
template <typename Value>
double median_of(const std::vector<Sample>& samples, Value value) {
  std::vector<double> values;
  for (const Sample& sample : samples) values.push_back(value(sample));
  return median(std::move(values));
}

// The shares of all repetitions, in order.
template <typename Value>
Json all_of(const std::vector<Sample>& samples, Value value) {
  Json out = Json::array();
  for (const Sample& sample : samples) out.push_back(value(sample));
  return out;
}

// What the samples say of a model, as the keys of bench_model from `ceilings` on.
Json results_json(const std::vector<Sample>& samples, const BenchOptions& options, const Work& work,
                  double kv_bytes) {
  const double operations = 2 * work.linear_parameters * options.prompt_tokens;
  const double bytes = work.matrix_bytes + kv_bytes;
  const auto prefill_share = [&](const Sample& s) {
    const double peak = work.quantised ? s.ceilings.int8_tops : s.ceilings.f32_tflops;
    return operations / s.prefill_seconds / 1e12 / peak;
  };
  const auto decode_share = [&](const Sample& s) {
    return bytes / s.step_seconds / 1e9 / s.ceilings.read_gbs;
  };
  const double prefill = median_of(samples, [](const Sample& s) { return s.prefill_seconds; });
  const double step = median_of(samples, [](const Sample& s) { return s.step_seconds; });
  Ceilings ceilings = samples.front().ceilings;
  for (const Sample& sample : samples) ceilings = better(ceilings, sample.ceilings);
  return {{"ceilings", ceilings_json(ceilings)},
          {"prefill",
           {{"tokens", options.prompt_tokens},
            {"seconds", prefill},
            {"tokens_per_second", options.prompt_tokens / prefill},
            {"tops", operations / prefill / 1e12},
            {"shares", all_of(samples, prefill_share)}}},
          {"decode",
           {{"batch", options.batch},
            {"depth", options.context},
            {"seconds_per_step", step},
            {"tokens_per_second", options.batch / step},
            {"gbs", bytes / step / 1e9},
            {"shares", all_of(samples, decode_share)}}},
          {"core_share", median_of(samples, [](const Sample& s) { return s.core_share; })},
          {"prefill_share", median_of(samples, prefill_share)},
          {"decode_share", median_of(samples, decode_share)}};
}

}  // namespace

Json bench_ceilings(Backend& backend) {
  return {{"backend", backend_json(backend)}, {"ceilings", ceilings_json(backend.measure())}};
}

Result<Json> bench_model(const BenchOptions& options, const EngineSettings& settings,
                         Backend& backend, const std::function<void(std::string_view)>& progress) {
  auto subject = open_subject(options);
  if (!subject) return std::move(subject).error();
  const ModelSpec& spec = subject->spec();
  const int capacity =
      std::max(options.prompt_tokens, std::max(options.context, 1) + options.decode_tokens);
  EngineSettings sized = settings;
  sized.concurrency = options.batch;
  sized.context = 0;
  sized.kv_memory = backend.kv_block_bytes(spec) * static_cast<uint64_t>(options.batch) *
                    static_cast<uint64_t>((capacity + kKvBlockTokens - 1) / kKvBlockTokens);
  auto plan = plan_engine(spec, subject->weight_bytes(), backend, sized, available_memory());
  if (!plan) return std::move(plan).error();
  progress(fmt::format("loading {}", subject->name));
  auto runner = backend.load(spec, subject->tensors(), plan->runner);
  if (!runner) return std::move(runner).error();
  progress("measuring prefill and decode, and the ceilings around them");
  Stepper stepper(**runner, spec, options.batch, capacity);
  const auto samples =
      measure(stepper, options, plan->runner.max_rows - plan->concurrency, backend);

  const Work work = work_of(spec, subject->tensors());
  // Keys and values of every position before the step, averaged over the steps.
  const double kv_bytes = static_cast<double>(backend.kv_block_bytes(spec)) / kKvBlockTokens *
                          options.batch *
                          (std::max(options.context, 1) + options.decode_tokens / 2.0);
  Json report = {{"shape", subject->name},
                 {"dtype", subject->file ? "file" : options.dtype},
                 {"backend", backend_json(backend)},
                 {"weights",
                  {{"bytes", work.matrix_bytes},
                   {"linear_parameters", work.linear_parameters},
                   {"head_parameters", work.head_parameters},
                   {"resident_bytes", (*runner)->weight_bytes()}}}};
  report.update(results_json(samples, options, work, kv_bytes));
  if (const double share = report["core_share"].get<double>(); share < kQuietShare)
    progress(fmt::format("other processes had {:.0f} % of our cores: the shares are too low",
                         100 * (1 - share)));
  return report;
}

}  // namespace aictl::inference
