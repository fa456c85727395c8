// aictl topo calc and exec: sets of CPUs by words, and programs bound to them.
#include <fmt/format.h>

#include "cmd/topo.hpp"
#include "core/cli/context.hpp"
#include "core/topology/cpusets/bind.hpp"
#include "core/topology/cpusets/calc.hpp"

namespace aictl {
namespace {

using topology::Bitset;
using topology::MemoryPolicy;

enum class Form { kList, kHex, kTaskset };

struct CalcFlags {
  std::vector<std::string> expression;
  Form form = Form::kList;
};

struct ExecFlags {
  std::string near, cpus;
  MemoryPolicy memory = MemoryPolicy::kBind;
  std::vector<std::string> words;
};

std::string text_of(const Bitset& cpus, Form form) {
  if (form == Form::kHex) return cpus.hex();
  return form == Form::kTaskset ? cpus.taskset() : cpus.list();
}

// Exit statuses of shells for a program that is not there, and for one that cannot be run.
constexpr int kNoProgram = 127, kNotRunnable = 126;

Result<Bitset> chosen_cpus(const Topology& machine, const ExecFlags& flags) {
  if (flags.near.empty() == flags.cpus.empty())
    return Error{ErrorCode::kInvalidArgument, "one of --near and --cpus is needed",
                 "such as --near gpu0, or --cpus 'numa:1 no smt'"};
  auto cpus = flags.near.empty() ? topology::calculate(machine, flags.cpus)
                                 : topology::cpus_near(machine, flags.near);
  if (!cpus) return cpus;
  const Bitset allowed = *cpus & machine.allowed_cpuset;
  if (allowed.empty())
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("none of the CPUs {} is allowed here", cpus->list()),
                 fmt::format("allowed are {}", machine.allowed_cpuset.list())};
  return allowed;
}

}  // namespace

cli::Command topo_calc_command(App& app, std::shared_ptr<TopologyInput> input) {
  auto flags = std::make_shared<CalcFlags>();
  cli::Command command;
  command.name = "calc";
  command.summary = "Work out a set of CPUs";
  command.description =
      "Sets: all, package:0, die:0, numa:1, core:3-5, pu:5, l3:0, near gpu0, performance, "
      "efficiency, "
      "numbers such as 0-3,8 or 0x0000010f. Joined from left to right by + or or, and, - or minus; "
      "parentheses group. After a set, no smt leaves one CPU of each core, no efficiency leaves "
      "out "
      "slow cores. Packages, memory nodes and PUs are counted as the operating system does, cores "
      "and caches from 0.\n\nWords of the expression that begin with - stand after --.";
  command.examples = {
      {"aictl topo calc cores near gpu0", "the CPUs next to a GPU"},
      {"aictl topo calc numa:1 no smt", "one CPU of each core of a memory node"},
      {"aictl topo calc 'package:0 - 0-3' --form taskset", "all but four, for taskset"},
      {"aictl topo calc 0x0000010f -o json", "the same set in all three forms"}};
  command.arguments = {{Row("expr", &flags->expression, "what to work out"), true}};
  command.options = machine_flags(*input);
  command.options.append(
      {Row("form", &flags->form, "how the set is written",
           {{"list", Form::kList}, {"hex", Form::kHex}, {"taskset", Form::kTaskset}})});
  command.run = [&app, input, flags](cli::Context& context) -> Result<int> {
    auto machine = read_topology(app.plugins, *input);
    if (!machine) return std::move(machine).error();
    const std::string expression = fmt::format("{}", fmt::join(flags->expression, " "));
    auto cpus = topology::calculate(*machine, expression);
    if (!cpus) return std::move(cpus).error();
    const Json tree = {{"list", cpus->list()},
                       {"hex", cpus->hex()},
                       {"taskset", cpus->taskset()},
                       {"count", cpus->count()},
                       {"memory_nodes", topology::nodes_of(*machine, *cpus).list()}};
    context.print_result(tree,
                         [&](std::ostream& out) { out << text_of(*cpus, flags->form) << '\n'; });
    return 0;
  };
  return command;
}

cli::Command topo_exec_command(App& app, std::shared_ptr<TopologyInput> input) {
  auto flags = std::make_shared<ExecFlags>();
  cli::Command command;
  command.name = "exec";
  command.summary = "Run a program bound to CPUs and the memory beside them";
  command.description =
      "Exits as the program does; with 127 when there is no such program and 126 when it cannot be "
      "run. Only on this machine, as it is.";
  command.examples = {{"aictl topo exec --near gpu0 -- vllm serve model", "beside the GPU it uses"},
                      {"aictl topo exec --cpus 'numa:0 no smt' -- ./bench", "one thread a core"}};
  command.arguments = {
      {Row("command", &flags->words, "the program and its words, after --"), true}};
  command.options = {
      Row("near", &flags->near, "the CPUs near this device: gpu0, nic1, numa0").value("DEVICE"),
      Row("cpus", &flags->cpus, "the CPUs of this expression; see aictl topo calc").value("EXPR"),
      Row("memory", &flags->memory, "memory of the nodes beside: only it, rather it, or any",
          {{"bind", MemoryPolicy::kBind},
           {"prefer", MemoryPolicy::kPrefer},
           {"free", MemoryPolicy::kFree}})};
  command.run = [&app, input, flags](cli::Context& context) -> Result<int> {
    if (input->file || input->sysroot || input->synthetic)
      return Error{ErrorCode::kInvalidArgument, "a program runs on this machine only",
                   "leave out --input, --sysroot and --synthetic"};
    auto machine = read_topology(app.plugins, *input);
    if (!machine) return std::move(machine).error();
    auto cpus = chosen_cpus(*machine, *flags);
    if (!cpus) return std::move(cpus).error();
    const Bitset nodes = topology::nodes_of(*machine, *cpus) & machine->allowed_nodeset;
    context.detail(fmt::format("CPUs {}, memory nodes {}", cpus->list(), nodes.list()));
    if (auto bound = topology::bind_process(*cpus, nodes, flags->memory); !bound)
      return std::move(bound).error();
    const Error error = topology::become(flags->words);
    context.print_error(error);
    return error.code == ErrorCode::kNotFound ? kNoProgram : kNotRunnable;
  };
  return command;
}

}  // namespace aictl
