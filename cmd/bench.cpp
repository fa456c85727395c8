// aictl bench: speed, beside the ceilings of this machine measured in the same run.
#include <memory>

#include <fmt/format.h>

#include "cmd/open_model.hpp"
#include "cmd/root.hpp"
#include "core/cli/context.hpp"
#include "core/cli/terminal/table.hpp"

namespace aictl {
namespace {

struct BenchFlags {
  std::string model;
  BenchOptions options;
  EngineSettings engine;
};

// Numbers one below another; a nested object's keys are indented.
void add_rows(cli::Table& table, const Json& tree, const std::string& indent) {
  for (const auto& [name, value] : tree.items()) {
    if (value.is_object()) {
      table.row({indent + name});
      add_rows(table, value, indent + "  ");
    } else {
      table.row({indent + name, value.is_number_float() ? fmt::format("{:.4g}", value.get<double>())
                                : value.is_string()     ? value.get<std::string>()
                                                        : dump_json(value)});
    }
  }
}

void print_report(cli::Context& context, const Json& report) {
  context.print_result(report, [&](std::ostream& out) {
    cli::Table table({});
    add_rows(table, report, "");
    table.print(out);
  });
}

cli::Command ceilings_command(App& app) {
  auto engine = std::make_shared<EngineSettings>();
  cli::Command command;
  command.name = "ceilings";
  command.summary = "Measure this machine's limits: read bandwidth and arithmetic";
  command.examples = {{"aictl bench ceilings -o json", "for a record"}};
  std::vector<Row> rows;
  rows.push_back(Row("backend", &engine->backend, "device to measure"));
  rows.push_back(
      Row("threads", &engine->threads, "threads that compute; 0: one a core that we may use")
          .range(0, 1024));
  command.options = Schema("bench.ceilings", std::move(rows));
  command.run = [&app, engine](cli::Context& context) -> Result<int> {
    auto report = own_runtime(app)->ceilings(*engine);
    if (!report) return std::move(report).error();
    print_report(context, *report);
    return 0;
  };
  return command;
}

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
    print_report(context, *report);
    return 0;
  };
  return command;
}

}  // namespace

cli::Command bench_command(App& app) {
  cli::Command command;
  command.name = "bench";
  command.summary = "Measure speed beside the machine's ceilings";
  command.commands = {bench_model_command(app), ceilings_command(app)};
  return command;
}

}  // namespace aictl
