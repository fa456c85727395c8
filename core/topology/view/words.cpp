#include "core/topology/view/words.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "core/base/utf8.hpp"
#include "core/cli/terminal/table.hpp"

namespace aictl::topology::view {
namespace {

std::string info(const Infos& infos, std::string_view name) {
  for (const auto& [key, value] : infos)
    if (key == name) return value;
  return "";
}

size_t count_of(const Topology& topology, ObjectType type) {
  return objects_of(topology, type).size();
}

void add_counted(std::vector<std::string>& parts, size_t count, std::string_view noun) {
  if (count > 0) parts.push_back(counted(count, noun));
}

/// A set among the settings, as far as the machine has its CPUs; empty when there is none.
Bitset set_of(const Topology& topology, const std::string& key) {
  const auto found = topology.system.settings.find(key);
  if (found == topology.system.settings.end()) return {};
  const auto set = Bitset::parse_list(found->second);
  return set ? *set & topology.complete_cpuset : Bitset();
}

void add_cpu_limits(const Topology& topology, std::vector<std::string>& out) {
  const Bitset offline = set_of(topology, "offline_cpus");
  const Bitset absent = set_of(topology, "absent_cpus") - offline;
  const Bitset all = topology.complete_cpuset - offline - absent;
  Bitset allowed = topology.allowed_cpuset & all;
  if (topology.limits.affinity) allowed = allowed & *topology.limits.affinity;
  if (!allowed.empty() && allowed.count() < all.count())
    out.push_back(
        fmt::format("{} of {} CPUs allowed: {}", allowed.count(), all.count(), allowed.list()));
  if (!offline.empty())
    out.push_back(
        fmt::format("{} offline: {}", counted(size_t(offline.count()), "CPU"), offline.list()));
  if (!absent.empty())
    out.push_back(fmt::format("{} offline or not allowed: {}",
                              counted(size_t(absent.count()), "CPU"), absent.list()));
  if (topology.limits.cpu_quota)
    out.push_back(fmt::format("{:.2f} CPUs' worth of time by cgroup quota, so {} at once",
                              *topology.limits.cpu_quota,
                              counted(size_t(topology.limits.effective_cpus), "thread")));
}

void add_memory_limits(const Topology& topology, std::vector<std::string>& out) {
  if (!topology.objects.empty()) {
    const Bitset& all = topology.objects[0].complete_nodeset;
    const Bitset allowed = topology.allowed_nodeset & all;
    if (!allowed.empty() && allowed.count() < all.count())
      out.push_back(fmt::format("{} of {} memory nodes allowed: {}", allowed.count(), all.count(),
                                allowed.list()));
  }
  const Limits& limits = topology.limits;
  if (limits.memory_max)
    out.push_back(fmt::format("{}{} of memory by cgroup limit",
                              limits.outer_hidden ? "at most " : "",
                              size_text(*limits.memory_max)));
}

}  // namespace

std::string size_text(uint64_t bytes) {
  if (bytes == 0) return "size unknown";
  static constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  size_t unit = 0;
  double value = double(bytes);
  // Memory is spoken of in GiB up to several thousand.
  while (unit + 1 < kUnits.size() && value >= (unit == 3 ? 10240 : 1024)) value /= 1024, ++unit;
  const double rounded = std::round(value * 10) / 10;
  if (rounded == std::floor(rounded)) return fmt::format("{:.0f} {}", rounded, kUnits[unit]);
  return fmt::format("{:.1f} {}", rounded, kUnits[unit]);
}

std::string number_text(double value) {
  if (value >= 99.95) return fmt::format("{:.0f}", value);
  std::string text = fmt::format("{:.{}f}", value, value >= 9.995 ? 1 : 2);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string speed_text(std::optional<double> gbs) {
  return gbs ? number_text(*gbs) + " GB/s" : "unknown";
}

std::string shown(std::string_view text, size_t width) {
  std::string out;
  size_t columns = 0, cut = 0;  // cut: bytes of `out` that leave room for the dots
  while (!text.empty()) {
    const utf8::Step step = utf8::decode(text);
    const char32_t c = step.code_point;
    const bool plain = step.valid && c >= 0x20 && (c < 0x7F || c >= 0xA0);
    const std::string_view bytes = plain ? text.substr(0, size_t(step.length)) : "?";
    columns += cli::display_width(bytes);
    if (columns > width) return out.substr(0, cut) + "...";
    out += bytes;
    if (columns + 3 <= width) cut = out.size();
    text.remove_prefix(size_t(step.length));
  }
  return out;
}

std::string gpu_text(const Gpu& gpu) {
  std::string out =
      gpu.model.empty() ? gpu.vendor.empty() ? "GPU" : gpu.vendor + " GPU" : gpu.model;
  if (gpu.memory_bytes) out += ", " + size_text(*gpu.memory_bytes);
  if (gpu.unified_memory) out += ", shares the host's memory";
  if (gpu.mig_enabled) out += fmt::format(", MIG: {}", counted(gpu.mig.size(), "instance"));
  if (!gpu.lost.empty()) out += ", lost";
  return out;
}

std::string nic_text(const Nic& nic) {
  std::string out = nic.kind.empty() ? "network" : nic.kind;
  if (nic.gbs && *nic.gbs > 0) out += " " + speed_text(nic.gbs);
  if (nic.state == "down") out += " down";
  if (nic.virtual_function) out += " (virtual function)";
  return out;
}

std::string disk_text(const Disk& disk) {
  std::string out = disk.kind.empty() ? "disk" : disk.kind;
  if (disk.bytes && *disk.bytes > 0) out += " " + size_text(*disk.bytes);
  return out;
}

std::string tier_text(const Object& node) {
  if (node.tier == MemoryTier::kGpu) return "GPU memory";
  return node.tier == MemoryTier::kUnknown ? "" : std::string(word(node.tier));
}

std::string cache_name(const Object& cache) {
  const char* suffix = cache.cache_type == CacheType::kData          ? "d"
                       : cache.cache_type == CacheType::kInstruction ? "i"
                                                                     : "";
  return fmt::format("L{}{}", cache.level, suffix);
}

std::string cpu_model(const Topology& topology, const Object& package) {
  std::string model = info(package.infos, "CPUModel");
  if (model.empty() && !topology.objects.empty())
    model = info(topology.objects[0].infos, "CPUModel");
  // Blanks in rows fill up what CPUID gives; marks tell nothing.
  for (const std::string_view mark : {"(R)", "(TM)", "(r)", "(tm)", " CPU"})
    for (size_t at; (at = model.find(mark)) != model.npos;) model.erase(at, mark.size());
  model.erase(
      std::unique(model.begin(), model.end(), [](char a, char b) { return a == ' ' && b == ' '; }),
      model.end());
  if (const size_t at = model.find_last_not_of(' '); at != model.npos) model.resize(at + 1);
  return model;
}

std::string_view medium_text(Medium medium) {
  switch (medium) {
    case Medium::kPcie:
      return "PCIe";
    case Medium::kNvlink:
      return "NVLink";
    case Medium::kXgmi:
      return "XGMI";
    case Medium::kC2c:
      return "NVLink-C2C";
    case Medium::kXelink:
      return "Xe Link";
    case Medium::kSocket:
      return "between sockets";
  }
  return "";
}

std::string counted(size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string machine_name(const Topology& topology) {
  if (!topology.hostname.empty()) return topology.hostname;
  std::string_view input = topology.origin.input;
  while (input.ends_with('/')) input.remove_suffix(1);
  if (input.empty()) return "machine";
  return std::string(input.substr(input.find_last_of('/') + 1));  // npos + 1 is 0
}

std::string machine_text(const Topology& topology) {
  std::vector<std::string> parts;
  add_counted(parts, count_of(topology, ObjectType::kPackage), "package");
  add_counted(parts, count_of(topology, ObjectType::kCore), "core");
  add_counted(parts, count_of(topology, ObjectType::kPu), "CPU");
  const auto memory = host_memory(topology);
  if (!topology.objects.empty())
    parts.push_back(memory ? size_text(*memory) : std::string("memory unknown"));
  add_counted(parts, topology.gpus.size(), "GPU");
  return parts.empty() ? "nothing known" : fmt::format("{}", fmt::join(parts, ", "));
}

std::vector<std::string> limit_texts(const Topology& topology) {
  std::vector<std::string> out;
  add_cpu_limits(topology, out);
  add_memory_limits(topology, out);
  return out;
}

}  // namespace aictl::topology::view
