// aictl topo: the machine as a tree, a table, a picture, or in the words of other programs.
#include "cmd/topo.hpp"

#include <fmt/format.h>

#include "cmd/root.hpp"
#include "core/cli/context.hpp"
#include "core/topology/json.hpp"
#include "core/topology/view/export/export.hpp"
#include "core/topology/view/picture/picture.hpp"
#include "core/topology/view/text.hpp"
#include "core/topology/xml/hwloc.hpp"
#include "core/topology/xml/nccl.hpp"
#include "core/value/yaml.hpp"

namespace aictl {
namespace {

std::vector<cli::Output> outputs() {
  return {{"tree", "packages, memory, caches, cores, GPUs, ports, disks; alike parts folded"},
          {"xml", "hwloc 2 XML, which lstopo and --input read"},
          {"svg", "a picture for a document"},
          {"html", "the picture with tables, as one page"},
          {"nrt", "a NodeResourceTopology of Kubernetes, as YAML"},
          {"labels", "node labels: key=value a line, for kubectl label"},
          {"prometheus", "gauges in Prometheus' text format"},
          {"nccl", "a topology file for NCCL_TOPO_FILE"}};
}

std::string labels_text(const Topology& machine) {
  std::string out;
  for (const auto& [key, value] : topology::view::node_labels(machine))
    out += fmt::format("{}={}\n", key, value);
  return out;
}

Result<std::string> written(const Plugins& plugins, const Topology& machine,
                            const std::string& output) {
  namespace view = topology::view;
  if (output == "xml")
    return topology::to_hwloc_xml(
        machine, [&](const std::string& xml) { return import_topology(plugins, xml); });
  if (output == "nccl") return topology::to_nccl_xml(machine);
  if (output == "svg") return view::svg(machine);
  if (output == "html") return view::html(machine);
  if (output == "nrt") return dump_yaml(view::node_resource_topology(machine));
  if (output == "labels") return labels_text(machine);
  if (output == "prometheus") return view::prometheus(machine);
  return output == "table" ? view::table(machine) : view::tree(machine);
}

}  // namespace

Schema machine_flags(TopologyInput& input) {
  return {Row("input", &input.file,
              "read a dump: hwloc XML, nvidia-smi topo -m, NCCL XML or our JSON; - is stdin")
              .file(),
          Row("sysroot", &input.sysroot, "read a captured root with sys and proc below").folder(),
          Row("synthetic", &input.synthetic, "make up a machine: \"pack:2 numa:1 core:8 pu:2\"")
              .value("WORDS"),
          Row("whole-io", &input.whole_io, "keep bridges and devices of no importance"),
          Row("disallowed", &input.disallowed, "show what the cgroup or cpuset keeps from us, too"),
          Row("nvml", &input.nvml, "the libnvidia-ml.so.1 to ask").file()};
}

cli::Command topo_command(App& app) {
  auto input = std::make_shared<TopologyInput>();  // shared by the rows and run, as long as both
  cli::Command command;
  command.name = "topo";
  command.summary = "Show the machine: memory, caches, cores, GPUs, ports, disks and their links";
  command.description =
      "Looks at this machine through hwloc, /sys and NVML; or reads a dump of another one, and "
      "then "
      "touches nothing of this one. aictl-topology(5) tells the keys of -o json.";
  command.examples = {
      {"aictl topo", "this machine as a tree"},
      {"aictl topo --input node7.xml -o svg > node7.svg", "a picture of another one"},
      {"nvidia-smi topo -m | aictl topo --input -", "from nvidia-smi's table"},
      {"aictl topo --synthetic \"pack:2 numa:4 core:16 pu:2\"", "one that does not exist"},
      {"aictl topo -o nrt | kubectl apply -f -", "tell Kubernetes what the node looks like"}};
  command.options = machine_flags(*input);
  command.outputs = outputs();
  command.commands = {topo_matrix_command(app, input), topo_explain_command(app, input),
                      topo_diff_command(app), topo_calc_command(app, input),
                      topo_exec_command(app, input)};
  command.run = [&app, input](cli::Context& context) -> Result<int> {
    auto machine = read_topology(app.plugins, *input);
    if (!machine) return std::move(machine).error();
    if (context.wants_tree()) {
      context.print_result(topology::to_json(*machine), {});
      return 0;
    }
    auto text = written(app.plugins, *machine, context.flags.output);
    if (!text) return std::move(text).error();
    context.out() << *text << std::flush;
    return 0;
  };
  return command;
}

}  // namespace aictl
