// Rules about processor time.
#include <algorithm>

#include <fmt/format.h>

#include "core/base/units.hpp"
#include "core/doctor/rules/rules.hpp"

namespace aictl::doctor {
namespace {

constexpr double kThrottledShare = 0.01;  // of the time

/// SMBIOS's numbers of what one carries: portable, laptop, notebook, sub notebook, tablet,
/// convertible, detachable.
bool carried(std::string_view chassis) {
  for (const std::string_view type : {"8", "9", "10", "14", "30", "31", "32"})
    if (chassis == type) return true;
  return false;
}

}  // namespace

Verdict throttled(const Input& input) {
  const auto& now = input.now().limits.throttled_usec;
  const auto& before = input.before().limits.throttled_usec;
  if (!input.now().limits.cpu_quota && !now)
    return input.now().limits.cgroup_version.empty()
               ? Verdict::skip("the input has no control groups")
               : Verdict{};
  if (!input.has_interval()) return Verdict::skip("needs two samples of this machine: --watch-for");
  if (!now || !before) return Verdict::skip("the control group counts no throttling");
  const double microseconds = std::chrono::duration<double, std::micro>(input.interval).count();
  const double share = *now > *before ? double(*now - *before) / microseconds : 0;
  Verdict verdict;
  if (share <= kThrottledShare) return verdict;
  const std::string quota = input.now().limits.cpu_quota
                                ? fmt::format("{:.1f} CPUs", *input.now().limits.cpu_quota)
                                : "a quota";
  verdict.findings.push_back(
      {"", Severity::kWarn, "the CPU quota stops us",
       fmt::format("throttled {:.1f} ms in {:.1f} s ({}), limit {}", double(*now - *before) / 1000,
                   microseconds / 1e6, percent(share), quota),
       fmt::format("{} of the time, in pauses of up to 100 ms: tail latency",
                   percent(std::min(share, 1.0))),
       "raise cpu.max (resources.limits.cpu), or run no more threads than the quota is worth",
       std::min(share, 1.0)});
  return verdict;
}

Verdict powersave_governor(const Input& input) {
  const Topology& machine = input.now();
  const std::string governor = setting(machine, "governor");
  if (governor.empty()) return Verdict::skip("no cpufreq: a virtual machine, or an imported one");
  Verdict verdict;
  if (governor.find("powersave") == std::string::npos) return verdict;
  if (carried(setting(machine, "chassis_type"))) return verdict;
  const std::string driver = setting(machine, "scaling_driver");
  verdict.findings.push_back(
      {"", Severity::kWarn, "the CPU governor saves power",
       fmt::format("governor {}{}{}", governor, driver.empty() ? "" : ", driver ", driver),
       driver == "intel_pstate" || driver == "amd-pstate-epp"
           ? "clocks rise late: some per cent of short requests"
           : "clocks stay at the minimum: half of the CPU's speed or less",
       "sudo cpupower frequency-set -g performance",
       driver == "intel_pstate" || driver == "amd-pstate-epp" ? 0.05 : 0.4});
  return verdict;
}

Verdict too_many_threads(const Input& input) {
  const Workload& workload = input.workload;
  const topology::Limits& limits = input.now().limits;
  if (!workload.threads) return Verdict::skip("the engine's threads are not known: --threads N");
  int cpus = limits.effective_cpus;
  if (workload.process && !workload.process->cpus.empty())
    cpus =
        cpus > 0 ? std::min(cpus, workload.process->cpus.count()) : workload.process->cpus.count();
  if (cpus == 0) cpus = input.now().allowed_cpuset.count();
  if (cpus == 0) return Verdict::skip("the number of CPUs is not known");
  Verdict verdict;
  if (*workload.threads <= cpus) return verdict;
  const double loss = 1 - double(cpus) / *workload.threads;
  std::string evidence = fmt::format("{} threads on {} effective CPUs", *workload.threads, cpus);
  if (limits.cpu_quota) evidence += fmt::format(" (quota {:.1f})", *limits.cpu_quota);
  verdict.findings.push_back(
      {"", Severity::kWarn, "the engine has more threads than CPUs", std::move(evidence),
       fmt::format("threads wait for each other at every layer: {} of decode speed or more",
                   percent(loss)),
       fmt::format("--cpu-threads {}", cpus), loss});
  return verdict;
}

}  // namespace aictl::doctor
