// aictl topo matrix, explain and diff: how parts reach each other, and what tells machines apart.
#include <algorithm>

#include <fmt/format.h>

#include "cmd/topo.hpp"
#include "core/cli/context.hpp"
#include "core/cli/terminal/table.hpp"
#include "core/topology/diff/diff.hpp"
#include "core/topology/groups.hpp"
#include "core/topology/view/route.hpp"
#include "core/topology/view/text.hpp"

namespace aictl {
namespace {

/// The GPUs that were asked for, or all; each must be there.
Result<std::vector<int>> chosen_gpus(const Topology& machine, const std::vector<int32_t>& wanted) {
  std::vector<int> gpus(wanted.begin(), wanted.end());
  if (wanted.empty())
    for (size_t i = 0; i < machine.gpus.size(); ++i) gpus.push_back(int(i));
  for (size_t i = 0; i < wanted.size(); ++i)
    if (std::find(gpus.begin(), gpus.begin() + std::ptrdiff_t(i), wanted[i]) !=
        gpus.begin() + std::ptrdiff_t(i))
      return Error{ErrorCode::kInvalidArgument, fmt::format("GPU {} is named twice", wanted[i]),
                   "each GPU is a row once"};
  for (const int gpu : gpus)
    if (gpu < 0 || size_t(gpu) >= machine.gpus.size())
      return Error{ErrorCode::kNotFound, fmt::format("there is no GPU {}", gpu),
                   machine.gpus.empty() ? "this machine shows no GPUs"
                                        : fmt::format("it has 0-{}", machine.gpus.size() - 1)};
  return gpus;
}

void print_differences(const std::vector<topology::Difference>& found, std::ostream& out) {
  constexpr size_t kShown = 40;
  cli::Table table({"PLACE", "A", "B"});
  const auto text = [](const Json& value) {
    if (value.is_null()) return std::string("-");
    std::string all = value.is_string() ? value.get<std::string>() : dump_json(value);
    return all.size() > 60 ? all.substr(0, 57) + "..." : all;
  };
  for (size_t i = 0; i < found.size() && i < kShown; ++i)
    table.row({found[i].place, text(found[i].a), text(found[i].b)});
  if (!found.empty()) table.print(out);
  if (found.size() > kShown)
    out << fmt::format("and {} more; -o json has all\n", found.size() - kShown);
}

struct DiffFlags {
  TopologyInput a, b;
};

}  // namespace

cli::Command topo_matrix_command(App& app, std::shared_ptr<TopologyInput> input) {
  auto gpus = std::make_shared<std::vector<int32_t>>();
  cli::Command command;
  command.name = "matrix";
  command.summary = "Show how GPUs reach each other and the network ports";
  command.description =
      "As nvidia-smi topo -m, with GB/s where they are known. -o json adds the groups of 2, 4 and "
      "8 "
      "GPUs that are best for tensor parallelism.";
  command.examples = {{"aictl topo matrix", "this machine"},
                      {"aictl topo matrix --input dgx.xml --gpus 0,3", "two GPUs of another one"},
                      {"aictl topo matrix -o json", "with the best groups"}};
  command.options = machine_flags(*input);
  command.options.append(
      {Row("gpus", gpus.get(), "only these GPUs, by number").value("0,3").flag_only()});
  command.run = [&app, input, gpus](cli::Context& context) -> Result<int> {
    auto machine = read_topology(app.plugins, *input);
    if (!machine) return std::move(machine).error();
    auto chosen = chosen_gpus(*machine, *gpus);
    if (!chosen) return std::move(chosen).error();
    const Json tree =
        context.wants_tree() ? topology::matrix_json(*machine, *chosen) : Json::object();
    context.print_result(
        tree, [&](std::ostream& out) { out << topology::view::matrix(*machine, *chosen); });
    return 0;
  };
  return command;
}

cli::Command topo_explain_command(App& app, std::shared_ptr<TopologyInput> input) {
  auto ends = std::make_shared<std::pair<std::string, std::string>>();
  cli::Command command;
  command.name = "explain";
  command.summary =
      "Show the way between two devices, hop by hop, with bandwidths and their sources";
  command.description =
      "A device is gpu0, nic1, disk0, numa0, its own name such as mlx5_0, or a PCI address. "
      "Sources: "
      "measured; driver (the operating system or NVML says so); table (by generation and width, or "
      "by model); inferred.";
  command.examples = {{"aictl topo explain gpu0 gpu1", "between two GPUs"},
                      {"aictl topo explain gpu3 mlx5_0 --input node7.xml", "to a network port"},
                      {"aictl topo explain gpu0 numa1 -o json", "to memory, for scripts"}};
  command.arguments = {{Row("a", &ends->first, "a device"), true},
                       {Row("b", &ends->second, "another"), true}};
  command.options = machine_flags(*input);
  command.run = [&app, input, ends](cli::Context& context) -> Result<int> {
    auto machine = read_topology(app.plugins, *input);
    if (!machine) return std::move(machine).error();
    auto route = topology::view::route(*machine, ends->first, ends->second);
    if (!route) return std::move(route).error();
    context.print_result(topology::view::route_json(*route),
                         [&](std::ostream& out) { out << topology::view::route_text(*route); });
    return 0;
  };
  return command;
}

cli::Command topo_diff_command(App& app) {
  auto flags = std::make_shared<DiffFlags>();
  cli::Command command;
  command.name = "diff";
  command.summary = "Compare two machines by structure; exit with 1 when they differ";
  command.description =
      "Names, serial numbers and what changes from minute to minute are left aside. A dump of any "
      "kind that `aictl topo --input` reads; - is stdin.";
  command.examples = {
      {"aictl topo diff golden.json node7.json", "is node 7 built like the others?"},
      {"aictl topo -o json | aictl topo diff golden.json -", "is this machine?"}};
  command.arguments = {{Row("a", &flags->a.file, "a dump").file(), true},
                       {Row("b", &flags->b.file, "another").file(), true}};
  command.run = [&app, flags](cli::Context& context) -> Result<int> {
    auto a = read_topology(app.plugins, flags->a);
    if (!a) return std::move(a).error();
    auto b = read_topology(app.plugins, flags->b);
    if (!b) return std::move(b).error();
    const auto found = topology::differences(*a, *b);
    Json tree = {{"equal", found.empty()}, {"differences", Json::array()}};
    for (const auto& one : found)
      tree["differences"].push_back({{"place", one.place}, {"a", one.a}, {"b", one.b}});
    context.print_result(tree, [&](std::ostream& out) { print_differences(found, out); });
    return found.empty() ? 0 : 1;
  };
  return command;
}

}  // namespace aictl
