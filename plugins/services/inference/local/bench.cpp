#include "plugins/services/inference/local/bench.hpp"

#include <algorithm>
#include <chrono>
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
      : runner_(runner),
        spec_(spec),
        blocks_((capacity + kKvBlockTokens - 1) / kKvBlockTokens) {
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

struct Timings {
  double prefill_seconds, step_seconds;
};

Timings measure(Stepper& stepper, const BenchOptions& options, int chunk) {
  std::vector<double> prefills, steps;
  stepper.prefill(options.prompt_tokens, chunk, 0);  // warms caches and pages
  const int depth = std::max(options.context, 1);
  for (int s = 0; s < options.batch; ++s) stepper.prefill(depth, chunk, s);
  for (int i = 0; i < options.repeat; ++i)
    prefills.push_back(stepper.prefill(options.prompt_tokens, chunk, 0));
  for (int s = 0; s < options.batch; ++s) stepper.prefill(depth, chunk, s);
  for (int i = 0; i < options.repeat; ++i)
    for (int t = 0; t < options.decode_tokens; ++t)
      steps.push_back(stepper.step(depth + t, 1, 0, options.batch, true));
  return {median(prefills), median(steps)};
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
  progress("measuring the ceilings");
  const Ceilings before = backend.measure();
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
  progress("measuring prefill and decode");
  Stepper stepper(**runner, spec, options.batch, capacity);
  const Timings t = measure(stepper, options, plan->runner.max_rows - plan->concurrency);

  // A busy neighbour lowers a ceiling that is measured once; the better of two is nearer the truth.
  Ceilings ceilings = backend.measure();
  ceilings.read_gbs = std::max(ceilings.read_gbs, before.read_gbs);
  ceilings.int8_tops = std::max(ceilings.int8_tops, before.int8_tops);
  ceilings.f32_tflops = std::max(ceilings.f32_tflops, before.f32_tflops);
  const Work work = work_of(spec, subject->tensors());
  const double tops = 2 * work.linear_parameters * options.prompt_tokens / t.prefill_seconds / 1e12;
  // Keys and values of every position before the step, averaged over the steps.
  const double kv_bytes = static_cast<double>(backend.kv_block_bytes(spec)) / kKvBlockTokens *
                          options.batch *
                          (std::max(options.context, 1) + options.decode_tokens / 2.0);
  const double gbs = (work.matrix_bytes + kv_bytes) / t.step_seconds / 1e9;
  const double peak = work.quantised ? ceilings.int8_tops : ceilings.f32_tflops;
  return Json{{"shape", subject->name},
              {"dtype", subject->file ? "file" : options.dtype},
              {"backend", backend_json(backend)},
              {"weights",
               {{"bytes", work.matrix_bytes},
                {"linear_parameters", work.linear_parameters},
                {"head_parameters", work.head_parameters},
                {"resident_bytes", (*runner)->weight_bytes()}}},
              {"ceilings", ceilings_json(ceilings)},
              {"prefill",
               {{"tokens", options.prompt_tokens},
                {"seconds", t.prefill_seconds},
                {"tokens_per_second", options.prompt_tokens / t.prefill_seconds},
                {"tops", tops}}},
              {"decode",
               {{"batch", options.batch},
                {"depth", options.context},
                {"seconds_per_step", t.step_seconds},
                {"tokens_per_second", options.batch / t.step_seconds},
                {"gbs", gbs}}},
              {"prefill_share", tops / peak},
              {"decode_share", gbs / ceilings.read_gbs}};
}

}  // namespace aictl::inference
