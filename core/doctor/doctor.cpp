#include "core/doctor/doctor.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/base/check.hpp"
#include "core/base/nearest.hpp"
#include "core/doctor/rules/rules.hpp"

namespace aictl::doctor {
namespace {

constexpr Severity kWarn = Severity::kWarn, kError = Severity::kError;

constexpr Rule kRules[] = {
    {"T01", "PCIe link narrower than board and slot", kWarn, "link widths", pcie_width},
    {"T02", "PCIe generation low under load", kWarn, "samples over 2 s, NVML", pcie_generation},
    {"T03", "PCIe errors or replays grow", kWarn, "two samples", pcie_errors},
    {"T04", "NVLinks down", kError, "NVLink counts", nvlinks_down},
    {"T05", "NVSwitch fabric not ready", kError, "NVML", fabric_not_ready},
    {"T06", "GPU slowed down by heat or power", kError, "NVML", gpu_slowed},
    {"T07", "power limit below the default", kWarn, "NVML or amdgpu", power_limited},
    {"T08", "GPU memory errors, or GPU lost", kError, "NVML", memory_errors},
    {"T09", "peer-to-peer copies slow or wrong", kError, "--measure copies", peer_copies},
    {"T10", "GPU without a NUMA node", kWarn, "NUMA nodes, PCI", gpu_without_node},
    {"T11", "process far from its memory or GPU", kWarn, "--pid", remote_memory},
    {"T12", "CPU quota throttles", kWarn, "two samples", throttled},
    {"T13", "memory limit below what loading takes", kError, "--weights", memory_limit},
    {"T14", "tensor-parallel group crosses sockets", kWarn, "--tp-group", group_crosses_sockets},
    {"T15", "NIC slow, or far from all GPUs", kWarn, "NIC speeds and places", nic_placement},
    {"T16", "no huge pages for CPU inference", kWarn, "page settings", huge_pages_off},
    {"T17", "NUMA balancing moves a pinned engine's pages", kWarn, "kernel settings",
     numa_balancing},
    {"T18", "governor saves power on a server", kWarn, "cpufreq", powersave_governor},
    {"T19", "memory channels empty or uneven", kWarn, "DMI; --measure memory", memory_channels},
    {"T20", "virtual machine hides PCIe levels", kWarn, "GPU links", hidden_levels},
    {"T21", "drivers or firmware differ between GPUs", kWarn, "NVML", mixed_firmware},
    {"T22", "CUDA counts GPUs in another order", kWarn, "CUDA_VISIBLE_DEVICES", cuda_order},
    {"T23", "GPU memory appears as a host NUMA node", kWarn, "NUMA nodes", gpu_memory_node},
    {"T24", "MIG with tensor parallelism", kError, "--tp-group, NVML", mig_with_groups},
    {"T25", "more NUMA nodes than the kubelet aligns", kError, "--kubelet", kubelet_nodes},
    {"T26", "persistence mode off", kWarn, "NVML", persistence_off},
    {"T27", "more engine threads than CPUs", kWarn, "--threads or --pid", too_many_threads},
    {"T28", "weights on a network or remote disk", kWarn, "--weights", weights_far},
};

}  // namespace

std::span<const Rule> rules() { return kRules; }

int Report::count(Severity severity) const {
  return int(std::count_if(findings.begin(), findings.end(),
                           [&](const Finding& f) { return f.severity == severity; }));
}

Result<Report> examine(const Input& input, std::span<const std::string> only) {
  CHECK(!input.samples.empty());
  std::vector<std::string_view> ids;
  for (const Rule& rule : kRules) ids.push_back(rule.id);
  for (const std::string& id : only)
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) {
      const std::string near = did_you_mean(id, ids);
      return Error{ErrorCode::kInvalidArgument, fmt::format("no rule named '{}'", id),
                   near + (near.empty() ? "" : "  ") + "to see them all: aictl doctor rules"};
    }
  Report report;
  for (const Rule& rule : kRules) {
    if (!only.empty() && std::find(only.begin(), only.end(), rule.id) == only.end()) continue;
    Verdict verdict = rule.check(input);
    if (verdict.findings.empty() && verdict.not_checked.empty())
      report.passed.emplace_back(rule.id);
    else if (verdict.findings.empty())
      report.skipped.push_back({std::string(rule.id), std::move(verdict.not_checked)});
    for (Finding& finding : verdict.findings) {
      finding.rule = rule.id;
      report.findings.push_back(std::move(finding));
    }
  }
  std::stable_sort(report.findings.begin(), report.findings.end(),
                   [](const Finding& a, const Finding& b) {
                     if (a.severity != b.severity) return a.severity == Severity::kError;
                     return a.loss > b.loss;
                   });
  return report;
}

std::string last_word(const Report& report) {
  if (report.findings.empty())
    return report.passed.empty()
               ? "Nothing was checked: the input has none of the facts the rules read."
               : fmt::format("Nothing found; {} rules passed, {} lacked facts.",
                             report.passed.size(), report.skipped.size());
  const Finding& first = report.findings.front();
  return fmt::format("What costs most: {} ({}): {}.", first.title, first.rule, first.cost);
}

std::string_view word(Severity severity) { return severity == kError ? "error" : "warn"; }

Json to_json(const Report& report) {
  Json tree = {{"findings", Json::array()}, {"skipped", Json::array()}, {"passed", report.passed}};
  for (const Finding& f : report.findings)
    tree["findings"].push_back({{"rule", f.rule},
                                {"severity", word(f.severity)},
                                {"title", f.title},
                                {"evidence", f.evidence},
                                {"cost", f.cost},
                                {"loss", f.loss},
                                {"fix", f.fix}});
  for (const Skipped& skipped : report.skipped)
    tree["skipped"].push_back({{"rule", skipped.rule}, {"why", skipped.why}});
  tree["errors"] = report.count(Severity::kError);
  tree["warnings"] = report.count(Severity::kWarn);
  tree["summary"] = last_word(report);
  return tree;
}

}  // namespace aictl::doctor
