#include <map>
#include <vector>

#include <fmt/format.h>

#include "core/topology/view/export/export.hpp"
#include "core/topology/view/words.hpp"

namespace aictl::topology::view {
namespace {

using LabelList = std::vector<std::pair<std::string_view, std::string>>;

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : shown(text)) {
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out;
}

/// One metric: its help and its samples stand together.
class Gauge {
 public:
  Gauge(std::string_view name, std::string_view help) : name_(name), help_(help) {}

  void sample(const LabelList& labels, double value) {
    std::string text;
    for (const auto& [key, label] : labels)
      text += fmt::format("{}{}=\"{}\"", text.empty() ? "" : ",", key, escaped(label));
    if (!text.empty()) text = "{" + text + "}";
    samples_ += fmt::format("aictl_topology_{}{} {}\n", name_, text, value);
  }
  template <typename T>
  void sample(const LabelList& labels, const std::optional<T>& value, double factor = 1) {
    if (value) sample(labels, double(*value) * factor);
  }

  std::string text() const {
    if (samples_.empty()) return "";
    return fmt::format("# HELP aictl_topology_{0} {1}\n# TYPE aictl_topology_{0} gauge\n{2}", name_,
                       help_, samples_);
  }

 private:
  std::string_view name_, help_;
  std::string samples_;
};

std::string machine_gauges(const Topology& topology) {
  Gauge packages("packages", "Processor packages.");
  Gauge cores("cores", "Cores that are shown to us.");
  Gauge cpus("cpus", "Logical CPUs of the machine.");
  Gauge allowed("cpus_allowed", "Logical CPUs we may use.");
  Gauge quota("cpu_quota", "CPUs' worth of time that the cgroup grants.");
  Gauge memory("memory_bytes", "Memory of a node.");
  Gauge limit("memory_limit_bytes", "Memory that the cgroup grants.");
  packages.sample({}, double(objects_of(topology, ObjectType::kPackage).size()));
  cores.sample({}, double(objects_of(topology, ObjectType::kCore).size()));
  cpus.sample({}, topology.complete_cpuset.count());
  allowed.sample({}, topology.allowed_cpuset.count());
  quota.sample({}, topology.limits.cpu_quota);
  for (const Object* node : objects_of(topology, ObjectType::kNuma))
    if (node->bytes > 0)
      memory.sample(
          {{"numa", std::to_string(node->os_index)}, {"tier", std::string(word(node->tier))}},
          double(node->bytes));
  limit.sample({}, topology.limits.memory_max);
  return packages.text() + cores.text() + cpus.text() + allowed.text() + quota.text() +
         memory.text() + limit.text();
}

std::string gpu_gauges(const Topology& topology) {
  Gauge info("gpu_info", "A GPU; always 1.");
  Gauge memory("gpu_memory_bytes", "Memory of the GPU.");
  Gauge used("gpu_memory_used_bytes", "Memory of the GPU in use.");
  Gauge pcie("gpu_pcie_bytes_per_second", "PCI Express link in one direction.");
  Gauge nvlinks("gpu_nvlinks_active", "NVLinks that are up.");
  Gauge power("gpu_power_watts", "Power drawn now.");
  Gauge heat("gpu_temperature_celsius", "Temperature of the chip.");
  Gauge lost("gpu_lost", "1 where the GPU does not answer.");
  for (const Gpu& gpu : topology.gpus) {
    const LabelList labels = {{"gpu", std::to_string(gpu.index)}};
    info.sample({{"gpu", std::to_string(gpu.index)},
                 {"model", gpu.model},
                 {"uuid", gpu.uuid},
                 {"pci", gpu.pci ? gpu.pci->text() : ""},
                 {"numa", gpu.nodeset.list()}},
                1);
    memory.sample(labels, gpu.memory_bytes);
    used.sample(labels, gpu.memory_used);
    pcie.sample(labels, gpu.pcie_gbs, 1e9);
    nvlinks.sample(labels, gpu.nvlink_active);
    power.sample(labels, gpu.power_watts);
    heat.sample(labels, gpu.temperature_c);
    lost.sample(labels, gpu.lost.empty() ? 0 : 1);
  }
  return info.text() + memory.text() + used.text() + pcie.text() + nvlinks.text() + power.text() +
         heat.text() + lost.text();
}

std::string link_gauges(const Topology& topology) {
  Gauge links("link_bytes_per_second", "Bandwidth between two devices in one direction.");
  Gauge nics("nic_bytes_per_second", "Speed of a network port.");
  Gauge disks("disk_bytes", "Size of a disk.");
  Gauge warnings("warnings", "Remarks about the machine, by kind.");
  for (const Link& link : topology.links)
    links.sample({{"a", link.a},
                  {"b", link.b},
                  {"level", link.word()},
                  {"source", std::string(word(link.source))}},
                 link.gbs, 1e9);
  for (const Nic& nic : topology.nics)
    nics.sample({{"name", nic.name}, {"kind", nic.kind}}, nic.gbs, 1e9);
  for (const Disk& disk : topology.disks)
    disks.sample({{"name", disk.name}, {"kind", disk.kind}}, disk.bytes);
  std::map<std::string, int> kinds;
  for (const Warning& warning : topology.warnings) ++kinds[warning.code];
  for (const auto& [code, count] : kinds) warnings.sample({{"code", code}}, count);
  return links.text() + nics.text() + disks.text() + warnings.text();
}

}  // namespace

std::string prometheus(const Topology& topology) {
  return machine_gauges(topology) + gpu_gauges(topology) + link_gauges(topology);
}

}  // namespace aictl::topology::view
