// aictl verify: proofs, on the user's own machine.
#include <memory>

#include <fmt/format.h>

#include "cmd/open_model.hpp"
#include "cmd/root.hpp"
#include "core/cli/context.hpp"
#include "core/cli/terminal/table.hpp"

namespace aictl {
namespace {

struct VerifyFlags {
  std::string model;
  VerifyOptions options;
  EngineSettings engine;
};

void print_checks(const Json& report, std::ostream& out) {
  cli::Table table({"check", "ids and logprobs"});
  for (const Json& check : report["checks"]) {
    const bool same = check["same"].get<bool>();
    table.row({check["name"].get<std::string>(),
               same ? "the same" : check["differences"][0].get<std::string>()});
  }
  table.print(out);
}

cli::Command determinism_command(App& app) {
  auto flags = std::make_shared<VerifyFlags>();
  VerifyOptions& o = flags->options;
  cli::Command command;
  command.name = "determinism";
  command.summary = "Prove that an answer does not depend on what else runs";
  command.description =
      "Computes some requests each alone, then all again: together, in other orders, from a warm "
      "cache, with other prefill chunks, with too little memory for all, on other numbers of "
      "threads, after a restart from a cache on disk. Ids and logprobs must be equal bit for bit; "
      "exit status 1 if any are not.";
  command.examples = {
      {"aictl verify determinism model.gguf", "16 requests"},
      {"aictl verify determinism model.gguf --requests 64 -o json", "for a record"}};
  command.arguments = {
      {Row("MODEL", &flags->model, "a .gguf file, a folder with one, or a name").file(), true}};
  std::vector<Row> rows;
  rows.push_back(Row("requests", &o.requests, "requests to compute").range(2, 256));
  rows.push_back(
      Row("prompt-tokens", &o.prompt_tokens, "tokens of the longest prompt").range(1, 1 << 20));
  rows.push_back(Row("max-tokens", &o.max_tokens, "tokens each makes").range(1, 1 << 20));
  rows.push_back(Row("backend", &flags->engine.backend, "device to compute on"));
  rows.push_back(
      Row("threads", &flags->engine.threads, "threads that compute; 0: one a core that we may use")
          .range(0, 1024));
  command.options = Schema("verify.determinism", std::move(rows));
  command.run = [&app, flags](cli::Context& context) -> Result<int> {
    auto path = resolve_model(app.plugins, flags->model);
    if (!path) return std::move(path).error();
    auto report = own_runtime(app)->verify(*path, flags->options, flags->engine,
                                           [&](std::string_view line) { context.note(line); });
    if (!report) return std::move(report).error();
    context.print_result(*report, [&](std::ostream& out) { print_checks(*report, out); });
    return (*report)["deterministic"].get<bool>() ? 0 : 1;
  };
  return command;
}

}  // namespace

cli::Command verify_command(App& app) {
  cli::Command command;
  command.name = "verify";
  command.summary = "Prove what this program promises, on this machine";
  command.commands = {determinism_command(app)};
  return command;
}

}  // namespace aictl
