#include "plugins/topology/nccl/build.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "core/topology/links/direct.hpp"
#include "core/topology/links/pcie.hpp"
#include "plugins/topology/nccl/attributes.hpp"

namespace aictl::nccl {
namespace {

using namespace topology;

constexpr int kMaxNode = 4095;
constexpr size_t kMaxDirect = 1024;  // GPUs and switches; the matrix of links is that squared
constexpr uint16_t kBridgeClass = 0x0604, kNetworkClasses = 0x02, kDisplayClasses = 0x03;
constexpr uint16_t kAcceleratorClass = 0x1200;
constexpr std::string_view kSwitchClass = "0x068000", kCpuClass = "0x068001";

/// What a GPU is by NVIDIA's compute capability times ten.
struct Generation {
  long sm;
  const char* name;
  int nvlink_version;
  double nvlink_gbs;  // one link, one direction
};
constexpr Generation kGenerations[] = {
    {60, "Pascal", 1, 20},    {70, "Volta", 2, 25},       {75, "Turing", 2, 25},
    {80, "Ampere", 3, 25},    {86, "Ampere", 3, 14.0625}, {89, "Ada", 0, 0},
    {90, "Hopper", 4, 25},    {100, "Blackwell", 5, 50},  {103, "Blackwell", 5, 50},
    {120, "Blackwell", 0, 0}, {121, "Blackwell", 0, 0}};

/// Links of one GPU, as the file tells; where they end is known once all is read.
struct Strands {
  size_t gpu = 0;
  bool xgmi = false;
  int node = -1;  // memory node of the GPU
  const Element* element = nullptr;
};

class Builder {
 public:
  Result<Topology> build(const Element& system) {
    topology_.origin.source = "nccl";
    topology_.objects.emplace_back();  // the machine
    for (const Element& cpu : system.children)
      if (cpu.name == "cpu")
        if (auto read = read_cpu(cpu); !read) return std::move(read).error();
    if (topology_.objects.size() == 1) return refused(system.line, "<system> has no <cpu>");
    Object& machine = topology_.objects.front();
    machine.complete_cpuset = machine.cpuset;
    machine.complete_nodeset = machine.nodeset;
    topology_.complete_cpuset = topology_.allowed_cpuset = machine.cpuset;
    topology_.allowed_nodeset = machine.nodeset;
    for (bool xgmi : {false, true})
      if (auto read = add_matrix(xgmi); !read) return std::move(read).error();
    if (unresolved_ > 0)
      topology_.warnings.push_back(
          {"nvlink_unresolved",
           fmt::format("{} GPUs have NVLinks whose other end the file does not tell",
                       unresolved_)});
    return std::move(topology_);
  }

 private:
  int add(ObjectType type, int parent) {
    Object object;
    object.type = type;
    object.parent = parent;
    object.logical_index = counts_[type]++;
    topology_.objects.push_back(std::move(object));
    return int(topology_.objects.size()) - 1;
  }

  void place(int index, const Bitset& cpus, const Bitset& nodes) {
    Object& object = topology_.objects[index];
    object.cpuset = object.complete_cpuset = cpus;
    object.nodeset = object.complete_nodeset = nodes;
  }

  /// NCCL's cpu is a memory node with its processors: a group, from which one host bridge hangs.
  Result<void> read_cpu(const Element& cpu) {
    const auto node = number(cpu, "numaid", -1, -1, kMaxNode);
    if (!node) return std::move(node).error();
    auto cpus = Bitset::parse_hex(cpu.attribute("affinity").value_or("0"));
    if (!cpus) return refused(cpu.line, "affinity: " + cpus.error().message);
    Bitset nodes;
    if (*node >= 0) nodes.set(int(*node));
    Object& machine = topology_.objects.front();
    if (machine.nodeset.intersects(nodes))
      return refused(cpu.line, fmt::format("a second <cpu> with numaid {}", *node));
    const Bitset fresh = *cpus - machine.cpuset;
    machine.cpuset = machine.cpuset | *cpus;
    machine.nodeset = machine.nodeset | nodes;
    describe_processor(cpu, machine);

    group_ = add(ObjectType::kGroup, 0);
    place(group_, *cpus, nodes);
    if (*node >= 0) {
      const int memory = add(ObjectType::kNuma, group_);
      topology_.objects[memory].os_index = int(*node);
      place(memory, *cpus, nodes);
    }
    for (int index : fresh.indexes()) {
      const int pu = add(ObjectType::kPu, group_);
      topology_.objects[pu].os_index = index;
      Bitset own;
      own.set(index);
      place(pu, own, nodes);
    }
    node_ = int(*node);
    const int bridge = add(ObjectType::kBridge, group_);
    topology_.objects[bridge].host_bridge = true;
    return read_children(cpu, bridge, nullptr);
  }

  static void describe_processor(const Element& cpu, Object& machine) {
    if (!machine.infos.empty()) return;
    for (const auto& [key, name] :
         {std::pair{"vendor", "CPUVendor"}, std::pair{"familyid", "CPUFamilyNumber"},
          std::pair{"modelid", "CPUModelNumber"}, std::pair{"arch", "Architecture"}})
      if (const auto value = cpu.attribute(key)) machine.infos.emplace_back(name, *value);
  }

  /// What hangs from a host bridge, a switch or a function.
  Result<void> read_children(const Element& element, int parent, const PciFacts* function) {
    for (const Element& child : element.children) {
      Result<void> read;
      if (child.name == "pci")
        read = read_pci(child, parent);
      else if (child.name == "gpu" && function != nullptr)
        read = read_gpu(child, *function);
      else if (child.name == "nic")
        read = read_nic(child, parent, function);
      if (!read) return read;
    }
    return {};
  }

  Result<void> read_pci(const Element& pci, int parent) {
    auto facts = read_facts(pci);
    if (!facts) return std::move(facts).error();
    if (!addresses_.insert(facts->address).second)
      return refused(pci.line, fmt::format("a second <pci> with busid {}", facts->address.text()));
    // What has functions below it is a switch, whatever its class says.
    const bool bridge = facts->class_id == kBridgeClass ||
                        std::any_of(pci.children.begin(), pci.children.end(),
                                    [](const Element& child) { return child.name == "pci"; });
    const int index = add(bridge ? ObjectType::kBridge : ObjectType::kPci, parent);
    topology_.objects[index].pci = *facts;
    if (bridge) topology_.objects[index].subtype = kWholeSwitch;
    const size_t gpus = topology_.gpus.size(), nics = topology_.nics.size();
    if (auto read = read_children(pci, index, bridge ? nullptr : &*facts); !read) return read;
    // Without a child the class says what the function is; NCCL fills in the rest where it runs.
    const bool display =
        facts->class_id >> 8 == kDisplayClasses || facts->class_id == kAcceleratorClass;
    if (!bridge && display && gpus == topology_.gpus.size()) add_gpu(*facts);
    if (!bridge && facts->class_id >> 8 == kNetworkClasses && nics == topology_.nics.size())
      add_nic(facts->address.text(), &*facts);
    return {};
  }

  Gpu& add_gpu(const PciFacts& facts) {
    Gpu& gpu = topology_.gpus.emplace_back();
    gpu.index = int(topology_.gpus.size()) - 1;
    gpu.pci = facts.address;
    gpu_addresses_.insert(facts.address);
    if (facts.vendor == 0x10de) gpu.vendor = "NVIDIA";
    if (facts.vendor == 0x1002) gpu.vendor = "AMD";
    set_place(gpu);
    return gpu;
  }

  template <typename Device>
  void set_place(Device& device) const {
    device.cpuset = topology_.objects[group_].cpuset;
    device.nodeset = topology_.objects[group_].nodeset;
  }

  Result<void> read_gpu(const Element& element, const PciFacts& facts) {
    Gpu& gpu = add_gpu(facts);
    const auto sm = number(element, "sm", 0, 0, 9999);
    if (!sm) return std::move(sm).error();
    const auto gcn = element.attribute("gcn");
    if (gcn) {
      gpu.vendor = "AMD";
      gpu.architecture = "gfx" + (*gcn == "910" ? "90a" : shown(*gcn));
    } else if (*sm > 0) {
      gpu.vendor = "NVIDIA";
      gpu.compute_capability = fmt::format("{}.{}", *sm / 10, *sm % 10);
      for (const Generation& generation : kGenerations)
        if (generation.sm <= *sm) {
          gpu.architecture = generation.name;
          if (generation.nvlink_gbs > 0) gpu.nvlink_version = generation.nvlink_version;
          if (generation.nvlink_gbs > 0) gpu.nvlink_gbs = generation.nvlink_gbs;
        }
    }
    for (const Element& link : element.children)
      if (link.name == "nvlink" || link.name == "xgmi")
        strands_.push_back({topology_.gpus.size() - 1, link.name == "xgmi", node_, &link});
    return {};
  }

  void add_nic(std::string name, const PciFacts* function) {
    Nic& nic = topology_.nics.emplace_back();
    nic.name = std::move(name);
    if (function != nullptr) {
      nic.pci = function->address;
      nic.kind = function->class_id == 0x0207 ? "infiniband" : "ethernet";
    } else {
      nic.kind = "ethernet";
    }
    set_place(nic);
  }

  Result<void> read_nic(const Element& element, int parent, const PciFacts* function) {
    for (const Element& net : element.children) {
      if (net.name != "net") continue;
      const std::string name = net.attribute("name").value_or("");
      if (name.empty()) return refused(net.line, "a <net> without a name");
      if (!nets_.insert(name).second)
        return refused(net.line, fmt::format("a second <net> called '{}'", shown(name)));
      add_nic(name, function);
      const double megabits = leading_number(net.attribute("speed").value_or(""));
      if (megabits > 0) topology_.nics.back().gbs = megabits / 8000;
      if (function == nullptr) continue;  // a virtual interface stands on no bus
      const int device = add(ObjectType::kOsDevice, parent);
      topology_.objects[device].name = name;
      topology_.objects[device].os_type = "openfabrics";
    }
    return {};
  }

  /// Where a link ends, as a label of the matrix; empty when the file does not tell.
  std::string target_of(const Strands& strands) {
    const Gpu& gpu = topology_.gpus[strands.gpu];
    const std::string kind = strands.element->attribute("tclass").value_or("");
    const auto target = PciAddress::parse(strands.element->attribute("target").value_or(""));
    if (kind == kCpuClass && strands.node >= 0) return fmt::format("NUMANode:{}", strands.node);
    if (!target || target == gpu.pci) return "";
    if (gpu_addresses_.contains(*target)) return "pci:" + target->text();
    if (kind != kSwitchClass) return "";
    switches_.insert(*target);
    return "pci:" + target->text();
  }

  /// The links as a matrix of counts: GPUs first, then what they lead to.
  Result<void> add_matrix(bool xgmi) {
    std::map<std::string, size_t> position;
    Distances matrix;
    matrix.name = std::string(xgmi ? kXgmiCount : kNvlinkCount);
    const auto at = [&](const std::string& label) {
      const auto [entry, added] = position.try_emplace(label, matrix.labels.size());
      if (added) matrix.labels.push_back(label);
      return entry->second;
    };
    std::map<std::pair<size_t, size_t>, long> cells;
    std::set<size_t> unresolved;
    for (const Strands& strands : strands_) {
      if (strands.xgmi != xgmi) continue;
      const auto count = number(*strands.element, "count", 1, 0, 1000);
      if (!count) return std::move(count).error();
      Gpu& gpu = topology_.gpus[strands.gpu];
      if (!xgmi) gpu.nvlink_count = gpu.nvlink_active = gpu.nvlink_count.value_or(0) + int(*count);
      const std::string target = target_of(strands);
      if (target.empty()) {
        unresolved.insert(strands.gpu);
        continue;
      }
      const size_t row = at("pci:" + gpu.pci->text()), column = at(target);
      cells[{row, column}] += *count;
      if (position.size() > kMaxDirect)
        return refused(strands.element->line,
                       fmt::format("more than {} devices with links", kMaxDirect));
    }
    unresolved_ += unresolved.size();
    topology_.nvswitches = int(switches_.size());
    if (cells.empty()) return {};
    matrix.values.resize(matrix.labels.size() * matrix.labels.size());
    for (const auto& [cell, count] : cells)
      matrix.values[cell.first * matrix.labels.size() + cell.second] = uint64_t(count);
    topology_.distances.push_back(std::move(matrix));
    return {};
  }

  Topology topology_;
  int node_ = -1, group_ = 0;  // of the cpu that is being read: memory node, object
  std::map<ObjectType, int> counts_;
  std::set<PciAddress> addresses_, gpu_addresses_, switches_;
  std::set<std::string> nets_;
  std::vector<Strands> strands_;
  size_t unresolved_ = 0;
};

}  // namespace

Result<Topology> build_topology(const Element& system) { return Builder().build(system); }

}  // namespace aictl::nccl
