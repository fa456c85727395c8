// aictl bench model: speed of a model, beside the ceilings of this machine measured in the same
// run.
#include <memory>

#include "cmd/bench.hpp"
#include "cmd/open_model.hpp"

namespace aictl {
namespace {

struct BenchFlags {
  std::string model;
  BenchOptions options;
  EngineSettings engine;
};

}  // namespace

cli::Command bench_model_command(App& app) {
  auto flags = std::make_shared<BenchFlags>();
  BenchOptions& o = flags->options;
  cli::Command command;
  command.name = "model";
  command.summary = "Measure prefill and decode of a model or of a shape";
  command.description =
      "Measures the ceilings, then prefill and decode, each several times; prints the median and "
      "its share of the "
      "ceiling: decode_share of the read bandwidth, prefill_share of the int8 (or float) peak. A "
      "shape takes no file: its "
      "weights are random.";
  command.examples = {
      {"aictl bench model --synthetic L1 --dtype q8_0 -o json", "the shape of Llama-3.2-1B"},
      {"aictl bench model model.gguf --prompt-tokens 512", "a file"}};
  command.arguments = {
      {Row("MODEL", &flags->model, "a model to measure instead of a shape").file(), false}};
  std::vector<Row> rows;
  rows.push_back(Row("synthetic", &o.synthetic, "the shape").choices({"L1", "L8", "0.5b"}));
  rows.push_back(Row("dtype", &o.dtype, "element type of its weights")
                     .choices({"q8_0", "q4_0", "q4_k", "q5_k", "q6_k", "bf16", "f16", "f32"}));
  rows.push_back(Row("prompt-tokens", &o.prompt_tokens, "tokens of the prompt").range(1, 1 << 20));
  rows.push_back(Row("decode-tokens", &o.decode_tokens, "tokens to decode").range(1, 1 << 20));
  rows.push_back(Row("depth", &o.context, "tokens already in the cache when decoding starts")
                     .range(0, 1 << 20));
  rows.push_back(Row("batch", &o.batch, "sequences decoded at once").range(1, 1024));
  rows.push_back(Row("repeat", &o.repeat, "times each is measured").range(1, 1000));
  rows.push_back(Row("backend", &flags->engine.backend, "device to compute on"));
  rows.push_back(
      Row("threads", &flags->engine.threads, "threads that compute; 0: one a core that we may use")
          .range(0, 1024));
  rows.push_back(Row("step-tokens", &flags->engine.step_tokens, "tokens computed in a step; 0: 256")
                     .range(0, 8192));
  command.options = Schema("bench.model", std::move(rows));
  command.run = [&app, flags](cli::Context& context) -> Result<int> {
    if (!flags->model.empty()) {
      auto path = resolve_model(app.plugins, flags->model);
      if (!path) return std::move(path).error();
      flags->options.model = *path;
    }
    auto report = own_runtime(app)->bench(flags->options, flags->engine,
                                          [&](std::string_view line) { context.note(line); });
    if (!report) return std::move(report).error();
    (*report)["fingerprint"] = bench_fingerprint(app);
    print_numbers(context, *report);
    return 0;
  };
  return command;
}

}  // namespace aictl
