#include "core/load/report/fingerprint.hpp"

#include <fmt/format.h>

#include "core/base/file.hpp"

namespace aictl::load {
namespace {

// FNV-1a, 64 bits: for telling machines apart, not for keeping secrets.
class Hash {
 public:
  void add(std::string_view text) {
    for (const char c : text) {
      state_ ^= static_cast<unsigned char>(c);
      state_ *= 0x100000001b3;
    }
    state_ ^= 0xff;  // "ab","c" is not "a","bc"
    state_ *= 0x100000001b3;
  }
  void add(int64_t number) { add(fmt::format("{}", number)); }
  std::string text() const { return fmt::format("{:016x}", state_); }

 private:
  uint64_t state_ = 0xcbf29ce484222325;
};

std::string hardware_hash(const Topology& machine) {
  Hash hash;
  for (const topology::Object& object : machine.objects) {
    if (object.type == topology::ObjectType::kMisc) continue;
    hash.add(topology::word(object.type));
    hash.add(object.parent);
    hash.add(object.os_index);
    // Memory a kernel can give changes by some pages from boot to boot.
    hash.add(static_cast<int64_t>(object.type == topology::ObjectType::kNuma ? object.bytes >> 28
                                                                             : object.bytes));
    hash.add(object.level);
  }
  for (const topology::Gpu& gpu : machine.gpus) {
    hash.add(gpu.model);
    hash.add(gpu.pci ? gpu.pci->text() : "");
  }
  for (const topology::Link& link : machine.links)
    hash.add(fmt::format("{} {} {}", link.a, link.b, link.word()));
  return hash.text();
}

std::string cpu_model(const Topology& machine) {
  for (const topology::Object& object : machine.objects)
    for (const auto& info : object.infos)
      if (info.first == "CPUModel") return info.second;
  return "";
}

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

}  // namespace

Json machine_fingerprint(const Topology& machine) {
  Json gpus = Json::array();
  for (const topology::Gpu& gpu : machine.gpus)
    gpus.push_back({{"model", gpu.model},
                    {"driver", gpu.driver},
                    {"power_limit_watts", or_null(gpu.power_limit_watts)},
                    {"pcie_generation", or_null(gpu.pcie_generation)},
                    {"pcie_width", or_null(gpu.pcie_width)}});
  const auto setting = machine.system.settings.find("governor");
  const topology::Limits& limits = machine.limits;
  return {{"topology_hash", hardware_hash(machine)},
          {"cpu", cpu_model(machine)},
          {"processors", topology::objects_of(machine, topology::ObjectType::kPu).size()},
          {"numa_nodes", topology::objects_of(machine, topology::ObjectType::kNuma).size()},
          {"memory_bytes", or_null(topology::host_memory(machine))},
          {"gpus", std::move(gpus)},
          {"kernel", machine.system.kernel},
          {"governor", setting == machine.system.settings.end() ? Json() : Json(setting->second)},
          {"hypervisor", machine.system.hypervisor},
          {"cgroup", limits.cgroup_version},
          {"cpu_quota", or_null(limits.cpu_quota)},
          {"effective_cpus", limits.effective_cpus},
          {"memory_max", or_null(limits.memory_max)}};
}

std::string command_line() {
  auto words = read_file("/proc/self/cmdline");
  if (!words) return "";
  std::string out = std::move(*words);
  while (out.ends_with('\0')) out.pop_back();
  for (char& c : out)
    if (c == '\0') c = ' ';
  // A password within a URL is nobody's business.
  const size_t scheme = out.find("://"), at = out.find('@', scheme == out.npos ? 0 : scheme);
  if (scheme != out.npos && at != out.npos && out.find_first_of(" /", scheme + 3) > at)
    out.replace(scheme + 3, at - scheme - 3, "***");
  return out;
}

}  // namespace aictl::load
