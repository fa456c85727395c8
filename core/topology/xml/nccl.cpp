#include "core/topology/xml/nccl.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "core/topology/bandwidth.hpp"
#include "core/topology/devices/locality.hpp"
#include "core/topology/links/direct.hpp"
#include "core/topology/links/pcie.hpp"

namespace aictl::topology {
namespace {

constexpr const char* kNvswitchClass = "0x068000";
constexpr const char* kInventedSwitch = "ffff:ff:1f.0";

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += (unsigned char)c < ' ' ? '?' : c;
    }
  return out;
}

/// "000000ff,ffff0000,00ffffff": words of 32 bits, highest first.
std::string affinity(const Bitset& cpus) {
  std::string text;
  for (int word = std::max(cpus.last(), 0) / 32; word >= 0; --word) {
    uint32_t bits = 0;
    for (int bit = 0; bit < 32; ++bit) bits |= uint32_t(cpus.test(word * 32 + bit)) << bit;
    text += fmt::format("{}{:08x}", text.empty() ? "" : ",", bits);
  }
  return text;
}

class NcclWriter {
 public:
  explicit NcclWriter(const Topology& topology) : topology_(topology) {
    for (const Gpu& gpu : topology.gpus)
      if (gpu.pci) gpus_.emplace(*gpu.pci, &gpu);
    for (size_t i = 0; i < topology.nics.size(); ++i)
      if (topology.nics[i].pci) nics_[*topology.nics[i].pci].push_back(int(i));
    children_.resize(topology.objects.size());
    for (size_t i = 0; i < topology.objects.size(); ++i) {
      const int parent = topology.objects[i].parent;
      if (parent >= 0) children_[parent].push_back(int(i));
    }
    for (const Distances& matrix : topology.distances) ports_[&matrix] = ports_of(topology, matrix);
    mark_wanted();
  }

  std::string write() {
    const bool rccl = std::any_of(topology_.gpus.begin(), topology_.gpus.end(),
                                  [](const Gpu& gpu) { return gpu.vendor == "AMD"; });
    out_ = fmt::format("<system version=\"{}\">\n", rccl ? 2 : 1);
    std::map<int, std::vector<int>> by_node;  // host bridges and lone functions
    for (size_t i = 0; i < topology_.objects.size(); ++i)
      if (wanted_.contains(int(i)) && is_top(int(i))) by_node[node_of(int(i))].push_back(int(i));
    for (const Object* node : objects_of(topology_, ObjectType::kNuma))
      if (node->tier != MemoryTier::kGpu) by_node[node->os_index];
    for (const auto& [node, tops] : by_node) cpu(node, tops);
    return out_ + "</system>\n";
  }

 private:
  /// GPUs, NICs and everything above them.
  void mark_wanted() {
    for (size_t i = 0; i < topology_.objects.size(); ++i) {
      const Object& object = topology_.objects[i];
      if (object.type != ObjectType::kPci) continue;
      if (!gpus_.contains(object.pci.address) && !nics_.contains(object.pci.address)) continue;
      for (int at = int(i); at >= 0 && is_io(at); at = topology_.objects[at].parent)
        wanted_.insert(at);
    }
  }

  bool is_io(int index) const {
    const ObjectType type = topology_.objects[index].type;
    return type == ObjectType::kPci || type == ObjectType::kBridge;
  }
  bool is_top(int index) const {
    const int parent = topology_.objects[index].parent;
    return parent < 0 || !is_io(parent);
  }

  /// The memory node a bridge is nearest to; -1: none is known.
  int node_of(int index) const {
    const int anchor = anchor_of(topology_, index);
    return anchor < 0 ? -1 : topology_.objects[anchor].nodeset.first();
  }

  void cpu(int node, const std::vector<int>& tops) {
    Bitset cpus = topology_.objects.front().cpuset;
    for (const Object* object : objects_of(topology_, ObjectType::kNuma))
      if (object->os_index == node) cpus = object->cpuset;
    out_ += fmt::format("  <cpu numaid=\"{}\" affinity=\"{}\"", node, affinity(cpus));
    for (const auto& [name, key] :
         {std::pair{"Architecture", "arch"}, std::pair{"CPUVendor", "vendor"},
          std::pair{"CPUFamilyNumber", "familyid"}, std::pair{"CPUModelNumber", "modelid"}})
      if (const std::string value = processor_info(name); !value.empty())
        out_ += fmt::format(" {}=\"{}\"", key, escaped(value));
    out_ += ">\n";
    for (int top : tops) write_below(top, 0, 2);
    for (size_t i = 0; i < topology_.nics.size(); ++i) {
      const Nic& nic = topology_.nics[i];
      if (nic.pci || nic.nodeset.first() != node) continue;
      out_ += "    <nic>\n";
      net(int(i), 3);
      out_ += "    </nic>\n";
    }
    out_ += "  </cpu>\n";
  }

  std::string processor_info(std::string_view name) const {
    for (ObjectType type : {ObjectType::kMachine, ObjectType::kPackage})
      for (const Object* object : objects_of(topology_, type))
        if (std::string value = info(*object, name); !value.empty()) return value;
    return "";
  }

  /// `ports` counts bridges from the host bridge down: odd ones are root and downstream ports.
  void write_below(int index, int ports, int indent) {
    const Object& object = topology_.objects[index];
    if (object.type == ObjectType::kPci) return function(object, indent);
    const bool whole = object.subtype == kWholeSwitch;
    const bool shown = !object.host_bridge && (whole || ports % 2 == 1);
    if (shown) open_pci(object.pci, "0x060400", indent);
    const int below = object.host_bridge || whole ? ports : ports + 1;
    for (int child : children_[index])
      if (wanted_.contains(child)) write_below(child, below, indent + (shown ? 1 : 0));
    if (shown) out_ += fmt::format("{:{}}</pci>\n", "", 2 * indent);
  }

  void open_pci(const PciFacts& facts, const std::string& kind, int indent) {
    out_ += fmt::format("{:{}}<pci busid=\"{}\" class=\"{}\"", "", 2 * indent, facts.address.text(),
                        kind);
    if (facts.vendor != 0)
      out_ += fmt::format(
          " vendor=\"0x{:04x}\" device=\"0x{:04x}\" subsystem_vendor=\"0x{:04x}\" "
          "subsystem_device=\"0x{:04x}\"",
          facts.vendor, facts.device, facts.subvendor, facts.subdevice);
    const auto [speed, lanes] = speed_of(facts);
    out_ += fmt::format(" link_speed=\"{}\" link_width=\"{}\">\n", speed, lanes);
  }

  /// "16.0 GT/s" and lanes; where only GB/s are known, the 16 lanes that give as much.
  static std::pair<std::string, int> speed_of(const PciFacts& link) {
    const auto speed = link.max_link_gts ? link.max_link_gts : link.link_gts;
    const auto lanes = link.link_width ? link.link_width : link.max_link_width;
    if (speed || lanes)
      return {speed ? fmt::format("{:.1f} GT/s PCIe", *speed) : "", lanes.value_or(0)};
    constexpr double kSpeeds[] = {2.5, 5, 8, 16, 32, 64};
    for (int width : {16, 8, 4, 2, 1})
      for (double gts : kSpeeds) {
        const double gbs = pcie_gbs(pcie_generation(gts), width).value_or(0);
        if (gbs > link.link_gbs * 0.95 && gbs < link.link_gbs * 1.05)
          return {fmt::format("{:.1f} GT/s PCIe", gts), width};
      }
    return {"", 0};
  }

  void function(const Object& object, int indent) {
    open_pci(object.pci, fmt::format("0x{:04x}00", object.pci.class_id), indent);
    const auto gpu = gpus_.find(object.pci.address);
    const auto nics = nics_.find(object.pci.address);
    if (gpu != gpus_.end()) write_gpu(*gpu->second, indent + 1);
    if (nics != nics_.end() && topology_.nics[nics->second[0]].name != object.pci.address.text()) {
      out_ += fmt::format("{:{}}<nic>\n", "", 2 * indent + 2);
      for (int nic : nics->second) net(nic, indent + 2);
      out_ += fmt::format("{:{}}</nic>\n", "", 2 * indent + 2);
    }
    out_ += fmt::format("{:{}}</pci>\n", "", 2 * indent);
  }

  void net(int index, int indent) {
    const Nic& nic = topology_.nics[index];
    out_ +=
        fmt::format("{:{}}<net name=\"{}\" dev=\"{}\"", "", 2 * indent, escaped(nic.name), nets_++);
    if (nic.gbs) out_ += fmt::format(" speed=\"{:.0f}\"", *nic.gbs * 8000);
    out_ += " port=\"1\"/>\n";
  }

  void write_gpu(const Gpu& gpu, int indent) {
    out_ += fmt::format("{:{}}<gpu dev=\"{}\"", "", 2 * indent, gpu.index);
    if (gpu.compute_capability) {
      std::string sm = *gpu.compute_capability;
      sm.erase(std::remove(sm.begin(), sm.end(), '.'), sm.end());
      out_ += fmt::format(" sm=\"{}\"", escaped(sm));
    }
    if (gpu.architecture.starts_with("gfx"))
      out_ +=
          fmt::format(" gcn=\"{}\"",
                      gpu.architecture == "gfx90a" ? "910" : escaped(gpu.architecture.substr(3)));
    const std::vector<std::string> links = links_of(gpu);
    out_ += links.empty() ? "/>\n" : ">\n";
    for (const std::string& link : links)
      out_ += fmt::format("{:{}}{}\n", "", 2 * indent + 2, link);
    if (!links.empty()) out_ += fmt::format("{:{}}</gpu>\n", "", 2 * indent);
  }

  static std::string strands(std::string_view tag, std::string_view target, int count,
                             std::string_view kind) {
    return fmt::format("<{} target=\"{}\" count=\"{}\" tclass=\"{}\"/>", tag, target, count, kind);
  }

  /// From the matrix of the dump where there is one, else from the pairs.
  std::vector<std::string> links_of(const Gpu& gpu) const {
    std::vector<std::string> found;
    for (const Distances& matrix : topology_.distances) {
      const bool xgmi = matrix.name == kXgmiCount || matrix.name == "XGMIBandwidth";
      if (!xgmi && matrix.name != kNvlinkCount && matrix.name != "NVLinkBandwidth") continue;
      for (const DirectPort& port : ports_.at(&matrix)) {
        if (port.gpu != gpu.index || port.peer == DirectPort::Peer::kNuma) continue;
        const bool to_switch = port.peer == DirectPort::Peer::kSwitch;
        const auto peer = to_switch ? std::nullopt : topology_.gpus[port.index].pci;
        const std::string target = to_switch ? matrix.labels[port.index].substr(4)
                                   : peer    ? peer->text()
                                             : "";
        const int count = std::max(port.count, 1);
        found.push_back(strands(xgmi ? "xgmi" : "nvlink", target, count,
                                to_switch ? kNvswitchClass : display_class(port.index)));
      }
    }
    if (!found.empty()) return found;
    if (gpu.nvlink_active.value_or(0) > 0 && topology_.nvswitches > 0)
      return {strands("nvlink", switch_address(), *gpu.nvlink_active, kNvswitchClass)};
    return pairs_of(gpu);
  }

  std::vector<std::string> pairs_of(const Gpu& gpu) const {
    std::vector<std::string> found;
    const std::string self = fmt::format("gpu{}", gpu.index);
    for (const Link& link : topology_.links) {
      if (link.level != Level::kNv || (link.a != self && link.b != self)) continue;
      const std::string& other = link.a == self ? link.b : link.a;
      const auto number = trailing_number(other);
      if (!other.starts_with("gpu") || !number || size_t(*number) >= topology_.gpus.size())
        continue;
      const auto& pci = topology_.gpus[*number].pci;
      if (pci)
        found.push_back(strands(link.medium == Medium::kXgmi ? "xgmi" : "nvlink", pci->text(),
                                std::max(link.count, 1), display_class(*number)));
    }
    return found;
  }

  std::string display_class(int gpu) const {
    return topology_.gpus[gpu].vendor == "AMD" ? "0x038000" : "0x030200";
  }

  std::string switch_address() const {
    for (const Object* object : objects_of(topology_, ObjectType::kPci))
      if (object->subtype == "NVSwitch" ||
          (object->pci.vendor == 0x10de && object->pci.class_id == 0x0680))
        return object->pci.address.text();
    return kInventedSwitch;
  }

  const Topology& topology_;
  std::map<PciAddress, const Gpu*> gpus_;
  std::map<PciAddress, std::vector<int>> nics_;
  std::vector<std::vector<int>> children_;
  std::set<int> wanted_;
  std::map<const Distances*, std::vector<DirectPort>> ports_;  // of each matrix
  std::string out_;
  int nets_ = 0;
};

}  // namespace

Result<std::string> to_nccl_xml(const Topology& topology) {
  const bool any = std::any_of(topology.gpus.begin(), topology.gpus.end(),
                               [](const Gpu& gpu) { return gpu.pci.has_value(); });
  if (!any || topology.objects.empty())
    return Error{ErrorCode::kUnsupported, "no GPU with a PCI address is known here",
                 "NCCL's file is about PCI functions; take the topology on the machine itself"};
  return NcclWriter(topology).write();
}

}  // namespace aictl::topology
