// aictl generate: a platform written down for the systems that will run it.
#include <filesystem>
#include <memory>
#include <ostream>

#include <fmt/format.h>

#include "cmd/root.hpp"
#include "core/base/file.hpp"
#include "core/cli/context.hpp"
#include "core/cli/terminal/table.hpp"
#include "core/platform/generate/drift.hpp"
#include "core/platform/generate/explain/explain.hpp"
#include "core/platform/generate/explain/trace.hpp"
#include "core/platform/generate/generate.hpp"
#include "core/platform/generate/layout/layout.hpp"
#include "core/platform/plan/planner.hpp"
#include "core/platform/spec/read.hpp"

namespace aictl {
namespace {

using platform::Drift;
using platform::Generated;
using platform::Layout;

struct GenerateFlags {
  std::vector<std::string> targets;
  std::string file = "aictl.yaml", templates, machine, check, mode;
  std::string about;
  bool explain = false;
  platform::LayoutOptions layout;
};

Json tree_of(const Generated& generated, const std::vector<RenderedFile>& files) {
  Json tree = {{"targets", generated.targets},
               {"externals", generated.externals},
               {"notes", generated.notes},
               {"files", Json::array()},
               {"objects", Json::array()}};
  for (const RenderedFile& file : files)
    tree["files"].push_back({{"path", file.path}, {"content", file.content}});
  for (const RenderedObject& each : generated.objects) tree["objects"].push_back(each.object);
  return tree;
}

Result<int> write_folder(const std::string& folder, const std::vector<RenderedFile>& files,
                         cli::Context& context) {
  for (const RenderedFile& file : files)
    if (auto ok = write_file_atomically(std::filesystem::path(folder) / file.path, file.content);
        !ok)
      return std::move(ok).error();
  context.note(fmt::format("wrote {} files to {}", files.size(), folder));
  auto drift = platform::find_drift(folder, files);
  if (!drift) return std::move(drift).error();
  for (const Drift& each : *drift)
    if (each.what == Drift::What::kStale)
      context.note(
          fmt::format("stale: {} is of an earlier run and belongs to it no more: remove it",
                      (std::filesystem::path(folder) / each.path).string()));
  return 0;
}

// Objects, then the files that are YAML, as one stream; other files have no place in one.
Result<int> write_stream(const Generated& generated, cli::Context& context) {
  std::string text = platform::write_documents(generated.objects, generated.header);
  for (const RenderedFile& file : generated.files) {
    if (!file.path.ends_with(".yaml") && (generated.files.size() > 1 || !text.empty()))
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("{} has no place in a stream", file.path), "-o DIR writes it"};
    text += (text.empty() ? "" : "---\n") + file.content;
  }
  context.out() << text;
  return 0;
}

Result<int> check(const std::string& folder, const std::vector<RenderedFile>& files,
                  cli::Context& context) {
  auto drift = platform::find_drift(folder, files);
  if (!drift) return std::move(drift).error();
  constexpr std::string_view kWords[] = {"missing", "changed", "stale"};
  Json tree = Json::array();
  for (const Drift& each : *drift)
    tree.push_back(
        {{"path", each.path}, {"what", kWords[static_cast<int>(each.what)]}, {"line", each.line}});
  context.print_result(tree, [&](std::ostream& out) {
    for (const Json& each : tree)
      out << fmt::format("{} {}{}\n", each["what"].get<std::string>(),
                         each["path"].get<std::string>(),
                         each["line"] == 0 ? "" : fmt::format(":{}", each["line"].get<int>()));
  });
  return drift->empty() ? 0 : 1;
}

int explain(const platform::PlatformPlan& plan, const Generated& generated,
            const std::string& about, cli::Context& context) {
  const auto list = platform::explain(plan, generated, about);
  Json tree = Json::array();
  for (const platform::Explanation& each : list)
    tree.push_back({{"object", each.object},
                    {"path", each.path},
                    {"value", each.value},
                    {"because", each.because}});
  context.print_result(tree, [&](std::ostream& out) {
    cli::Table table({"OBJECT", "FIELD", "VALUE", "BECAUSE"});
    for (const Json& each : tree)
      table.row({each["object"], each["path"], each["value"], each["because"]});
    table.print(out);
  });
  return list.empty() && !about.empty() ? 1 : 0;
}

Result<platform::PlatformPlan> plan_of(const App& app, const GenerateFlags& flags) {
  auto read = platform::load_platform(flags.file);
  if (!read) return std::move(read).error();
  if (!flags.mode.empty()) read->targets["kserve"]["mode"] = flags.mode;
  std::optional<TopologyInput> instead;
  if (!flags.machine.empty()) {
    instead.emplace();
    instead->file = flags.machine;
  }
  return platform::plan_here(*std::move(read), app.plugins, instead);
}

Result<int> run_generate(const App& app, const GenerateFlags& flags, cli::Context& context) {
  if (!flags.templates.empty() && !std::filesystem::is_directory(flags.templates))
    return Error{ErrorCode::kNotFound, fmt::format("no folder '{}'", flags.templates), ""};
  auto plan = plan_of(app, flags);
  if (!plan) return std::move(plan).error();
  platform::Trace trace;
  const bool explained = flags.explain || !flags.about.empty();
  const platform::GenerateRequest request{flags.targets, flags.templates, std::string(version()),
                                          explained ? &trace : nullptr};
  auto generated = platform::generate(*plan, app.plugins.renderers, request);
  if (!generated) return std::move(generated).error();
  if (explained) return explain(*plan, *generated, flags.about, context);
  platform::LayoutOptions layout = flags.layout;
  layout.version = request.version;
  const auto files = platform::lay_out(plan->platform, *generated, layout);
  if (!flags.check.empty()) return check(flags.check, files, context);
  for (const std::string& note : generated->notes) context.note("note: " + note);
  for (const std::string& each : generated->externals) context.note("needs: " + each);
  const std::string& output = context.flags.output;
  if (context.wants_tree()) {
    context.print_result(tree_of(*generated, files), [](std::ostream&) {});
    return 0;
  }
  if (output != "-" && output != "text" && output != "table")
    return write_folder(output, files, context);
  if (flags.layout.layout != Layout::kPlain)
    return Error{ErrorCode::kInvalidArgument, "this layout is of several files", "give -o DIR"};
  return write_stream(*generated, context);
}

std::vector<Row> generate_rows(GenerateFlags& f) {
  std::vector<Row> rows;
  rows.push_back(
      Row("file", &f.file, "the platform's spec; - is standard input").letter('f').file());
  rows.push_back(Row("layout", &f.layout.layout, "how the objects lie in files",
                     {{"plain", Layout::kPlain},
                      {"directory", Layout::kDirectory},
                      {"kustomize", Layout::kKustomize},
                      {"helm", Layout::kHelm},
                      {"argocd", Layout::kArgocd},
                      {"flux", Layout::kFlux}}));
  rows.push_back(
      Row("templates", &f.templates, "templates that stand in for the built-in ones").folder());
  rows.push_back(
      Row("for", &f.machine, "for the machine of this dump, instead of the spec's").file());
  rows.push_back(
      Row("check", &f.check, "write nothing; exit 1 when this folder is not what would be written")
          .folder());
  rows.push_back(Row("explain", &f.explain, "show where each value comes from"));
  rows.push_back(Row("about", &f.about,
                     "explain the fields with this in Kind/name/path: Deployment/qwen/spec"));
  rows.push_back(Row("mode", &f.mode, "of kserve: what carries a model")
                     .choices({"standard", "llm", "cache"}));
  rows.push_back(
      Row("repository", &f.layout.repository, "the Git repository Argo CD or Flux reads"));
  rows.push_back(Row("revision", &f.layout.revision, "its branch"));
  rows.push_back(Row("path", &f.layout.path, "where in the repository the output lies"));
  for (Row& row : rows) row = std::move(row).flag_only();
  return rows;
}

}  // namespace

cli::Command generate_command(App& app) {
  auto flags = std::make_shared<GenerateFlags>();  // shared by the rows and run, as long as both
  cli::Command command;
  command.name = "generate";
  command.summary = "Write a platform down for Kubernetes and what runs on it";
  command.description =
      "TARGET is a system: kubernetes, kserve, kueue, ... (aictl plugin list --kind renderer). "
      "Most add to what kubernetes writes, and bring it with them; several together make one set "
      "of objects. Numbers come from the models' files and the machines; a comment beside each "
      "tells how.\n\n"
      "-o DIR writes files, -o - (or no -o) one stream, -o json all of it as a tree. The same spec "
      "gives the same bytes. Exit status 1: --check found a difference.";
  command.examples = {
      {"aictl generate kubernetes -o deploy", "from ./aictl.yaml"},
      {"aictl generate kubernetes kueue monitoring -o - | kubectl apply -f -",
       "one set of objects"},
      {"aictl generate kubernetes --layout helm -o chart", "a chart"},
      {"aictl generate kubernetes --check deploy", "whether it is still what would be written"}};
  std::vector<std::string> names;
  for (const auto& row : app.plugins.renderers.rows()) names.push_back(row.name);
  command.arguments = {{Row("TARGET", &flags->targets, "a system to write for").suggest(names)}};
  command.outputs = {{"-", "one stream of YAML on stdout"}};
  command.output_place = "DIR";
  command.options = Schema("generate", generate_rows(*flags));
  command.run = [&app, flags](cli::Context& context) { return run_generate(app, *flags, context); };
  return command;
}

}  // namespace aictl
