// aictl import: the spec that manifests were made from.
#include <memory>
#include <ostream>

#include <fmt/format.h>

#include "cmd/root.hpp"
#include "core/base/file.hpp"
#include "core/cli/context.hpp"
#include "core/manifest/document.hpp"
#include "core/platform/import/import.hpp"
#include "core/platform/spec/read.hpp"
#include "core/value/yaml_write.hpp"

namespace aictl {
namespace {

Result<int> run_import(const App& app, const std::vector<std::string>& arguments,
                       cli::Context& context) {
  auto files = manifest::find_files(arguments);
  if (!files) return std::move(files).error();
  std::vector<Json> objects;
  for (const std::string& file : *files) {
    auto text = file == "-" ? read_all(0, manifest::kMaxManifestBytes) : read_file(file);
    if (!text) return std::move(text).error();
    auto documents = manifest::read_documents(*text, file);
    if (!documents) return std::move(documents).error();
    for (manifest::Document& each : *documents) objects.push_back(std::move(each.object));
  }
  auto imported = platform::import_spec(objects, &app.plugins);
  if (!imported) return std::move(imported).error();
  const Json& spec = imported->spec;
  const std::string text = write_yaml(spec);
  if (auto valid = platform::read_platform(text, "the imported spec"); !valid)
    return std::move(valid).error();
  for (const std::string& line : platform::untaken_lines(imported->untaken))
    context.note("not taken: " + line);
  const std::string& output = context.flags.output;
  if (context.wants_tree() || output == "-" || output == "text" || output == "table") {
    context.print_result(spec, [&](std::ostream& out) { out << text; });
    return 0;
  }
  if (auto ok = write_file_atomically(output, text); !ok) return std::move(ok).error();
  context.note(fmt::format("wrote {}", output));
  return 0;
}

}  // namespace

cli::Command import_command(App& app) {
  auto files = std::make_shared<std::vector<std::string>>();  // shared by the row and run
  cli::Command command;
  command.name = "import";
  command.summary = "Read a platform's spec back from its manifests";
  command.description =
      "Reads manifests and prints the spec they were made from, or could have been made from. "
      "Those "
      "of `aictl generate`, or a cluster's copy of them, carry it in the ConfigMap NAME-spec; "
      "replicas and images of models that were changed since are taken over. Without that "
      "ConfigMap, "
      "and of manifests that others wrote, the objects themselves are read: vLLM in Deployments, "
      "KServe, Ray, Knative, LeaderWorkerSets and JobSets; queues of Kueue, Volcano and Armada; "
      "Envoy "
      "AI Gateway, Dapr, Strimzi, Vitess, Rook, OpenTelemetry. What the spec has no word for is "
      "told "
      "on standard error, a line an object.";
  command.examples = {
      {"aictl import deploy -o aictl.yaml", "from a folder"},
      {"kubectl get configmap,deployment -n ai -o yaml | aictl import -", "from a cluster"},
      {"aictl import vllm.yaml | aictl generate kueue -f -", "what others wrote, with queues"}};
  command.arguments = {{Row("FILE", files.get(), "manifests, folders of them, or -").file()}};
  command.outputs = {{"-", "the spec on stdout"}};
  command.output_place = "FILE";
  command.run = [&app, files](cli::Context& context) { return run_import(app, *files, context); };
  return command;
}

}  // namespace aictl
