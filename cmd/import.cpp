// aictl import: the spec that manifests were made from.
#include <memory>
#include <ostream>

#include <fmt/format.h>

#include "cmd/root.hpp"
#include "core/base/file.hpp"
#include "core/cli/context.hpp"
#include "core/manifest/document.hpp"
#include "core/platform/generate/import.hpp"
#include "core/platform/spec/read.hpp"
#include "core/value/yaml_write.hpp"

namespace aictl {
namespace {

Result<int> run_import(const std::vector<std::string>& arguments, cli::Context& context) {
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
  auto spec = platform::import_spec(objects);
  if (!spec) return std::move(spec).error();
  const std::string text = write_yaml(*spec);
  if (auto valid = platform::read_platform(text, "the imported spec"); !valid)
    return std::move(valid).error();
  const std::string& output = context.flags.output;
  if (context.wants_tree() || output == "-" || output == "text" || output == "table") {
    context.print_result(*spec, [&](std::ostream& out) { out << text; });
    return 0;
  }
  if (auto ok = write_file_atomically(output, text); !ok) return std::move(ok).error();
  context.note(fmt::format("wrote {}", output));
  return 0;
}

}  // namespace

cli::Command import_command(App&) {
  auto files = std::make_shared<std::vector<std::string>>();  // shared by the row and run
  cli::Command command;
  command.name = "import";
  command.summary = "Read a platform's spec back from its manifests";
  command.description =
      "Reads manifests that `aictl generate` wrote, or that a cluster gives back, and prints the "
      "spec they were made from. Replicas and images of models that were changed since are taken "
      "over. Generating from it gives the manifests again.";
  command.examples = {
      {"aictl import deploy -o aictl.yaml", "from a folder"},
      {"kubectl get configmap,deployment -n ai -o yaml | aictl import -", "from a cluster"}};
  command.arguments = {{Row("FILE", files.get(), "manifests, folders of them, or -").file()}};
  command.outputs = {{"-", "the spec on stdout"}};
  command.output_place = "FILE";
  command.run = [files](cli::Context& context) { return run_import(*files, context); };
  return command;
}

}  // namespace aictl
