// Rules about a GPU's own state: heat, power, memory errors, firmware, order, persistence.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "core/doctor/rules/rules.hpp"
#include "core/topology/bandwidth.hpp"

namespace aictl::doctor {
namespace {

using topology::Gpu;

struct Reason {
  uint64_t bit;
  std::string_view name, fix;
};

// NVML's clock event reasons that are faults; the others (idle, application clocks) are not.
constexpr Reason kFaults[] = {
    {0x40, "hardware thermal slowdown", "check fans, airflow and inlet temperature"},
    {0x80, "hardware power brake",
     "the power supply or the rack limits: check its cables and budget"},
    {0x20, "software thermal slowdown", "check fans and airflow; nvidia-smi -q -d TEMPERATURE"},
    {0x08, "hardware slowdown", "check cooling and the power supply: nvidia-smi -q -d PERFORMANCE"},
};
constexpr uint64_t kPowerCap = 0x04;
constexpr double kPowerCapShare = 0.2;  // of the time

/// The part of the samples in which `gpu` was held back by its power limit.
double capped_share(const Input& input, const Gpu& gpu) {
  size_t capped = 0;
  for (const Topology& sample : input.samples) {
    const Gpu* then = same_gpu(sample, gpu);
    capped += then && then->clock_reasons.value_or(0) & kPowerCap;
  }
  return double(capped) / double(input.samples.size());
}

std::string state_of(const Gpu& gpu) {
  std::string text;
  if (gpu.temperature_c) text += fmt::format(", {:.0f} C", *gpu.temperature_c);
  if (gpu.power_watts) text += fmt::format(", {:.0f} W", *gpu.power_watts);
  if (gpu.power_limit_watts) text += fmt::format(" of {:.0f} W", *gpu.power_limit_watts);
  if (gpu.utilisation) text += fmt::format(", {} % busy", *gpu.utilisation);
  return text;
}

/// The part of the speed that a lower power limit takes: clocks follow about the cube root of it.
double loss_by_power(double limit, double full) {
  return limit > 0 && full > limit ? 0.5 * (1 - limit / full) : 0;
}

/// Whether every item is a small number: NVML's UUIDs begin with letters.
bool holds_indexes(std::string_view list) {
  if (list.empty()) return false;
  return list.find_first_not_of("0123456789, ") == std::string_view::npos;
}

/// The order CUDA counts in by default: by its own names where a driver gave them, else the fastest
/// first. Empty: not known.
std::vector<int> cuda_order_of(const Topology& machine) {
  std::map<int, int> by_name;  // CUDA's number -> index
  for (const Gpu& gpu : machine.gpus)
    for (const std::string& name : gpu.names) {
      int number = 0;
      if (name.starts_with("cuda") &&
          std::from_chars(name.data() + 4, name.data() + name.size(), number).ec == std::errc())
        by_name[number] = gpu.index;
    }
  std::vector<int> order;
  if (by_name.size() == machine.gpus.size()) {
    for (const auto& [number, index] : by_name) order.push_back(index);
    return order;
  }
  std::vector<std::pair<double, int>> fastest;
  for (const Gpu& gpu : machine.gpus) {
    const topology::GpuSpec* spec = topology::gpu_spec(gpu.model);
    if (spec == nullptr || spec->bf16_tflops <= 0) return {};
    fastest.emplace_back(-spec->bf16_tflops, gpu.index);
  }
  std::stable_sort(fastest.begin(), fastest.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [speed, index] : fastest) order.push_back(index);
  return order;
}

std::string variable(const Input& input, const std::string& name) {
  const auto& own =
      input.workload.process ? input.workload.process->environment : input.workload.environment;
  const auto found = own.find(name);
  return found == own.end() ? "" : found->second;
}

}  // namespace

Verdict gpu_slowed(const Input& input) {
  Verdict verdict;
  bool known = false;
  for (const Gpu& gpu : input.now().gpus) {
    if (!gpu.clock_reasons) continue;
    known = true;
    if (!under_load(gpu).value_or(true)) continue;
    const auto fault = std::find_if(std::begin(kFaults), std::end(kFaults), [&](const Reason& r) {
      return (*gpu.clock_reasons & r.bit) != 0;
    });
    if (fault != std::end(kFaults)) {
      verdict.findings.push_back(
          {"", Severity::kError, fmt::format("{}: {}", gpu_name(gpu), fault->name),
           fmt::format("clock event reasons {:#x}{}", *gpu.clock_reasons, state_of(gpu)),
           "clocks fall to half or less while it lasts, and every group it is in waits for it",
           std::string(fault->fix), 0.5});
      continue;
    }
    const double share = capped_share(input, gpu);
    if (share <= kPowerCapShare) continue;
    const double loss =
        loss_by_power(gpu.power_limit_watts.value_or(0), gpu.power_default_watts.value_or(0));
    verdict.findings.push_back(
        {"", Severity::kWarn, fmt::format("{}: held back by its power limit", gpu_name(gpu)),
         fmt::format("in {} of {} samples{}", std::lround(share * double(input.samples.size())),
                     input.samples.size(), state_of(gpu)),
         loss > 0 ? fmt::format("about {} of prefill speed", percent(loss))
                  : "some of prefill speed; the limit is the board's own",
         "sudo nvidia-smi -pl WATTS up to the default, if cooling and supply allow", loss});
  }
  return known ? verdict : Verdict::skip("no GPU tells why its clocks are what they are");
}

Verdict power_limited(const Input& input) {
  Verdict verdict;
  bool known = false;
  for (const Gpu& gpu : input.now().gpus) {
    if (!gpu.power_limit_watts || !gpu.power_default_watts) continue;
    known = true;
    const double limit = *gpu.power_limit_watts, full = *gpu.power_default_watts;
    if (limit >= full - 1) continue;
    const double loss = loss_by_power(limit, full);
    verdict.findings.push_back(
        {"", Severity::kWarn, fmt::format("{}: power limit set below the default", gpu_name(gpu)),
         fmt::format("{:.0f} W of {:.0f} W", limit, full),
         fmt::format("about {} of prefill speed; decoding loses less", percent(loss)),
         fmt::format("sudo nvidia-smi -i {} -pl {:.0f}", gpu.index, full), loss});
  }
  return known ? verdict : Verdict::skip("no GPU tells its power limits");
}

Verdict memory_errors(const Input& input) {
  Verdict verdict;
  bool known = false;
  const auto add = [&](const Gpu& gpu, std::string what, std::string evidence, const char* fix) {
    verdict.findings.push_back(
        {"", Severity::kError, fmt::format("{}: {}", gpu_name(gpu), what), std::move(evidence),
         "the GPU may stop, or kill what runs on it, at any moment", fix, 1});
  };
  for (const Gpu& gpu : input.now().gpus) {
    if (!gpu.lost.empty())
      add(gpu, "does not answer", gpu.lost, "reboot; if it stays lost, the board needs service");
    known |= !gpu.lost.empty() || gpu.ecc_uncorrected || gpu.remap_pending || gpu.remap_failed;
    if (gpu.ecc_uncorrected.value_or(0) > 0)
      add(gpu, "uncorrectable memory errors",
          fmt::format("{} since the driver was loaded", *gpu.ecc_uncorrected),
          "drain the GPU and reset it: sudo nvidia-smi -r; replace it if they come back");
    if (gpu.remap_failed.value_or(false))
      add(gpu, "a memory row could not be remapped", "row remapping failed",
          "the board needs service");
    else if (gpu.remap_pending.value_or(false))
      add(gpu, "a memory row waits to be remapped", "row remapping pending",
          "drain the GPU and reset it: sudo nvidia-smi -r");
  }
  return known ? verdict : Verdict::skip("no GPU tells its memory errors");
}

Verdict mixed_firmware(const Input& input) {
  std::map<std::string, std::map<std::string, std::vector<std::string>>> vbios;  // model, version
  std::set<std::string> drivers;
  bool known = false;
  for (const Gpu& gpu : input.now().gpus) {
    if (!gpu.driver.empty() && gpu.vendor != "AMD") drivers.insert(gpu.driver);
    known |= !gpu.vbios.empty() || !gpu.driver.empty();
    if (!gpu.vbios.empty()) vbios[gpu.model][gpu.vbios].push_back(gpu_name(gpu));
  }
  if (!known) return Verdict::skip("no GPU tells its driver or VBIOS");
  Verdict verdict;
  const auto add = [&](std::string title, std::string evidence, const char* fix) {
    verdict.findings.push_back(
        {"", Severity::kWarn, std::move(title), std::move(evidence),
         "clocks and limits differ: a group runs as fast as its slowest, some "
         "per cent",
         fix, 0.05});
  };
  if (drivers.size() > 1)
    add("drivers differ between GPUs", fmt::format("{}", fmt::join(drivers, ", ")),
        "install one driver, then reboot");
  for (const auto& [model, versions] : vbios) {
    if (versions.size() < 2) continue;
    std::string evidence;
    for (const auto& [version, names] : versions)
      evidence +=
          fmt::format("{}{}: {}", evidence.empty() ? "" : "; ", version, fmt::join(names, " "));
    add(fmt::format("VBIOS versions differ between GPUs{}{}", model.empty() ? "" : " ", model),
        evidence, "bring all to one VBIOS with the vendor's update");
  }
  return verdict;
}

Verdict cuda_order(const Input& input) {
  const std::string visible = variable(input, "CUDA_VISIBLE_DEVICES");
  const Topology& machine = input.now();
  if (machine.gpus.size() < 2) return Verdict::skip("fewer than two GPUs");
  if (visible.empty()) return Verdict::skip("CUDA_VISIBLE_DEVICES is not set");
  Verdict verdict;
  if (!holds_indexes(visible) || variable(input, "CUDA_DEVICE_ORDER") == "PCI_BUS_ID")
    return verdict;
  const std::vector<int> order = cuda_order_of(machine);
  if (order.empty()) return Verdict::skip("the GPUs' speeds are not known");
  if (std::is_sorted(order.begin(), order.end())) return verdict;
  verdict.findings.push_back(
      {"", Severity::kWarn, "CUDA counts the GPUs in another order than nvidia-smi",
       fmt::format("CUDA_VISIBLE_DEVICES={} without CUDA_DEVICE_ORDER; CUDA's order is {}", visible,
                   fmt::join(order, ",")),
       "the engine runs on other GPUs than those that were planned",
       "export CUDA_DEVICE_ORDER=PCI_BUS_ID, or name the GPUs by UUID", 0.4});
  return verdict;
}

Verdict persistence_off(const Input& input) {
  Verdict verdict;
  std::vector<std::string> off;
  bool known = false;
  for (const Gpu& gpu : input.now().gpus) {
    known |= gpu.persistence.has_value();
    if (!gpu.persistence.value_or(true)) off.push_back(gpu_name(gpu));
  }
  if (!known) return Verdict::skip("no GPU tells its persistence mode");
  if (off.empty()) return verdict;
  verdict.findings.push_back(
      {"", Severity::kWarn, "persistence mode is off", fmt::format("{}", fmt::join(off, ", ")),
       "the first request after a pause waits 1-3 s while the driver starts the GPU",
       "sudo systemctl enable --now nvidia-persistenced", 0.02});
  return verdict;
}

}  // namespace aictl::doctor
