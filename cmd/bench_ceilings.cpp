// aictl bench ceilings: what this machine can do at most.
#include <memory>

#include "cmd/bench.hpp"
#include "cmd/open_model.hpp"

namespace aictl {

cli::Command bench_ceilings_command(App& app) {
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
    (*report)["fingerprint"] = bench_fingerprint(app);
    print_numbers(context, *report);
    return 0;
  };
  return command;
}

}  // namespace aictl
