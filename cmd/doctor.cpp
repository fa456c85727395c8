// aictl doctor: what is wrong with this machine for models, what it costs, how to mend it.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <thread>

#include <fmt/format.h>

#include "cmd/open_model.hpp"
#include "cmd/root.hpp"
#include "core/cli/context.hpp"
#include "core/cli/terminal/table.hpp"
#include "core/doctor/doctor.hpp"
#include "core/doctor/measure/peer_copy.hpp"

namespace aictl {
namespace {

constexpr size_t kSamples = 5;  // of the counters, over the time --watch-for gives
constexpr std::chrono::seconds kCopyDeadline{60};

struct DoctorFlags {
  TopologyInput input;
  bool strict = false, pinned = false;
  std::chrono::milliseconds watch_for{2000};
  std::vector<int32_t> tp_group;
  std::vector<std::string> rules;
  std::optional<int> threads, pid;
  std::string weights, kubelet, cuda;
  std::vector<std::string> measure;
};

/// This machine, and not a dump: counters move.
bool is_live(const TopologyInput& input) {
  return !input.file && !input.sysroot && !input.synthetic;
}

Result<std::vector<Topology>> take_samples(App& app, const DoctorFlags& flags,
                                           std::chrono::nanoseconds& interval,
                                           cli::Context& context) {
  const bool watch = is_live(flags.input) && flags.watch_for.count() > 0;
  if (watch) context.detail(fmt::format("watching counters for {} ms", flags.watch_for.count()));
  const size_t count = watch ? kSamples : 1;
  std::vector<Topology> samples;
  const auto begin = std::chrono::steady_clock::now();
  for (size_t i = 0; i < count; ++i) {
    if (watch)
      std::this_thread::sleep_until(begin + flags.watch_for * long(i) / long(kSamples - 1));
    interval = std::chrono::steady_clock::now() - begin;
    auto sample = read_topology(app.plugins, flags.input);
    if (!sample) return std::move(sample).error();
    samples.push_back(std::move(*sample));
  }
  return samples;
}

Result<void> check_group(const Topology& machine, const std::vector<int32_t>& group) {
  for (const int32_t index : group)
    if (index < 0 || size_t(index) >= machine.gpus.size())
      return Error{
          ErrorCode::kInvalidArgument,
          fmt::format("--tp-group names gpu{}; there are {} GPUs", index, machine.gpus.size()),
          "aictl topo lists them"};
  return {};
}

/// The kubelet's own file where none was named; its absence is no error then.
Result<void> add_kubelet(const DoctorFlags& flags, doctor::Workload& workload) {
  const bool look = is_live(flags.input);
  if (flags.kubelet.empty() && !look) return {};
  auto kubelet =
      doctor::read_kubelet(flags.kubelet.empty() ? "/var/lib/kubelet/config.yaml" : flags.kubelet);
  if (kubelet) workload.kubelet = *kubelet;
  if (!kubelet && !flags.kubelet.empty()) return std::move(kubelet).error();
  return {};
}

Result<doctor::Workload> workload_of(const DoctorFlags& flags) {
  doctor::Workload workload;
  workload.tp_group.assign(flags.tp_group.begin(), flags.tp_group.end());
  workload.threads = flags.threads;
  workload.pinned = flags.pinned;
  for (const char* name : {"CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"})
    if (const char* value = std::getenv(name)) workload.environment[name] = value;
  if (auto ok = add_kubelet(flags, workload); !ok) return std::move(ok).error();
  if (!flags.weights.empty()) {
    auto weights = doctor::read_weights(flags.weights);
    if (!weights) return std::move(weights).error();
    workload.weights = std::move(*weights);
  }
  if (flags.pid) {
    auto process = doctor::read_process(*flags.pid);
    if (!process) return std::move(process).error();
    workload.process = std::move(*process);
  }
  return workload;
}

/// A paragraph with its label in the margin.
void print_part(std::string_view label, std::string_view text, size_t width, std::ostream& out) {
  constexpr size_t kMargin = 14;
  for (const std::string& line : cli::wrap(text, std::max(width, kMargin + 40) - kMargin)) {
    out << fmt::format("{:<{}}{}\n", label, kMargin, line);
    label = "";
  }
}

void print_report(const doctor::Report& report, const cli::Context& context, std::ostream& out) {
  const auto width = size_t(std::max(context.streams().width, 0));
  for (const doctor::Finding& finding : report.findings) {
    out << fmt::format("{:<5}  {}  {}\n", word(finding.severity), finding.rule, finding.title);
    print_part("       found:", finding.evidence, width, out);
    print_part("       costs:", finding.cost, width, out);
    print_part("       fix:", finding.fix, width, out);
    out << '\n';
  }
  if (context.flags.verbose) {
    cli::Table table({"NOT CHECKED", "WHY"});
    for (const doctor::Skipped& skipped : report.skipped) table.row({skipped.rule, skipped.why});
    if (!table.empty()) table.print(out);
    out << fmt::format("\npassed: {}\n\n", fmt::join(report.passed, " "));
  }
  out << doctor::last_word(report) << '\n';
}

bool measures(const DoctorFlags& flags, std::string_view what) {
  return std::ranges::find(flags.measure, what) != flags.measure.end();
}

/// Loads the machine for a moment: copies between GPUs, reads of memory.
Result<void> measure(App& app, const DoctorFlags& flags, doctor::Workload& workload,
                     Topology& machine, cli::Context& context) {
  if (measures(flags, "copies")) {
    context.detail("copying between GPUs");
    auto copies = doctor::copy_between_gpus(flags.cuda, kCopyDeadline);
    if (!copies) return std::move(copies).error().within("--measure copies");
    doctor::add_copies(*copies, machine);
  }
  if (measures(flags, "memory")) {
    context.detail("reading memory");
    auto report = own_runtime(app)->ceilings({});
    if (!report) return std::move(report).error().within("--measure memory");
    workload.reads = doctor::MemoryReads{(*report)["ceilings"]["read_gbs"].get<double>(),
                                         (*report)["backend"]["threads"].get<int>()};
  }
  return {};
}

Result<int> examine(App& app, const DoctorFlags& flags, cli::Context& context) {
  if (flags.pid && !is_live(flags.input))
    return Error{ErrorCode::kInvalidArgument, "--pid names a process of this machine",
                 "leave out --input, --sysroot and --synthetic"};
  if (!flags.measure.empty() && !is_live(flags.input))
    return Error{ErrorCode::kInvalidArgument, "--measure measures this machine",
                 "leave out --input, --sysroot and --synthetic"};
  std::chrono::nanoseconds interval{0};
  auto workload = workload_of(flags);
  if (!workload) return std::move(workload).error();
  auto samples = take_samples(app, flags, interval, context);
  if (!samples) return std::move(samples).error();
  if (auto ok = check_group(samples->back(), flags.tp_group); !ok) return std::move(ok).error();
  if (auto ok = measure(app, flags, *workload, samples->back(), context); !ok)
    return std::move(ok).error();
  auto report = doctor::examine({*samples, interval, *workload}, flags.rules);
  if (!report) return std::move(report).error();
  context.print_result(doctor::to_json(*report),
                       [&](std::ostream& out) { print_report(*report, context, out); });
  const bool bad =
      report->count(doctor::Severity::kError) > 0 || (flags.strict && !report->findings.empty());
  return bad ? 1 : 0;
}

cli::Command rules_command() {
  cli::Command command;
  command.name = "rules";
  command.summary = "List the rules";
  command.examples = {{"aictl doctor rules", "ids, what they find, what they need"}};
  command.run = [](cli::Context& context) -> Result<int> {
    Json list = Json::array();
    for (const doctor::Rule& rule : doctor::rules())
      list.push_back({{"rule", rule.id},
                      {"title", rule.title},
                      {"severity", word(rule.severity)},
                      {"needs", rule.needs}});
    context.print_result(list, [&](std::ostream& out) {
      cli::Table table({"RULE", "FINDS", "WORST", "NEEDS"});
      for (const Json& row : list)
        table.row({row["rule"], row["title"], row["severity"], row["needs"]});
      table.print(out);
    });
    return 0;
  };
  return command;
}

std::vector<Row> doctor_rows(DoctorFlags& flags) {
  return {
      Row("input", &flags.input.file, "examine a dump of a machine; - is stdin").file().flag_only(),
      Row("sysroot", &flags.input.sysroot, "examine a captured root with sys and proc")
          .folder()
          .flag_only(),
      Row("synthetic", &flags.input.synthetic,
          "examine a made-up machine: \"package:2 core:8 pu:2\"")
          .value("TEXT")
          .flag_only(),
      Row("nvml", &flags.input.nvml, "the libnvidia-ml.so.1 to ask").file(),
      Row("strict", &flags.strict, "warnings exit with 1, too"),
      Row("watch-for", &flags.watch_for,
          "how long to watch counters on this machine; 0s: not at all"),
      Row("measure", &flags.measure,
          "load this machine to see: copies between GPUs (T09), reads of memory (T19)")
          .choices({"copies", "memory"})
          .flag_only(),
      Row("cuda", &flags.cuda, "the libcuda.so.1 that copies").file().flag_only(),
      Row("rules", &flags.rules, "only these rules").value("T01,T12").flag_only(),
      Row("tp-group", &flags.tp_group, "the GPUs a model is split over").value("0,1").flag_only(),
      Row("threads", &flags.threads, "threads of a CPU engine").range(1, 65536).flag_only(),
      Row("pinned", &flags.pinned, "the engine is bound to CPUs").flag_only(),
      Row("pid", &flags.pid, "an engine that runs: its memory, CPUs and variables")
          .range(1, 1 << 30)
          .value("PID")
          .flag_only(),
      Row("weights", &flags.weights, "the model's file or folder: its size and disk")
          .file()
          .flag_only(),
      Row("kubelet", &flags.kubelet,
          "a KubeletConfiguration; without it, that of this machine's kubelet")
          .file()
          .flag_only(),
  };
}

}  // namespace

cli::Command doctor_command(App& app) {
  auto flags = std::make_shared<DoctorFlags>();  // shared by the rows and run, as long as both
  cli::Command command;
  command.name = "doctor";
  command.summary = "Find what slows models down on a machine";
  command.description =
      "Checks links, GPUs, memory, CPUs, disks and limits by 28 rules. A finding has the numbers "
      "it "
      "was found by, what it costs and how to mend it; a rule whose facts are missing says so with "
      "-v. Nothing is changed and no other program is run. --measure also tests: it copies between "
      "GPUs that read each other's memory, and reads memory with all threads.\n\n"
      "Exits with 0 when there is nothing or only warnings, with 1 for errors. -o json has "
      "findings, skipped, passed, errors, warnings and summary.";
  command.examples = {
      {"aictl doctor", "examine this machine"},
      {"aictl doctor --tp-group 0,1,2,3 --weights model/", "and what shall run on it"},
      {"aictl doctor --measure copies,memory", "and measure what only a test can tell"},
      {"aictl doctor --input server.xml --strict -o json", "a dump, for scripts"},
      {"aictl doctor rules", "what is checked"}};
  command.options = Schema("doctor", doctor_rows(*flags));
  command.commands = {rules_command()};
  command.run = [&app, flags](cli::Context& context) { return examine(app, *flags, context); };
  return command;
}

}  // namespace aictl
