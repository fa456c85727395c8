#include "plugins/topology/nvml/links.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "core/topology/links/direct.hpp"
#include "plugins/topology/nvml/device.hpp"

namespace aictl::nvml {
namespace {

using topology::DirectPort;
using topology::Gpu;
using topology::Level;
using topology::Link;
using topology::LinkSource;
using topology::Medium;
using topology::PciAddress;
using Peer = DirectPort::Peer;

constexpr unsigned kMaxLinks = 36;
constexpr unsigned kP2pRead = 0;
constexpr int kErrorCounters = 4;  // replay, recovery, CRC of flits, CRC of data

/// NVML's number of a version -> the version, and GB/s of a link in one direction.
struct Version {
  int major;
  double gbs;
};
Version version_of_link(unsigned number) {
  switch (number) {
    case 1:
      return {1, 20};
    case 2:
    case 3:
      return {2, 25};
    case 4:
      return {3, 25};
    case 5:
      return {3, 14.0625};  // 3.1: bridges of workstation boards
    case 6:
      return {4, 25};
    case 7:
      return {5, 50};
    case 8:
      return {6, 50};
    default:
      return {0, 0};
  }
}

Level level_of(unsigned ancestor) {
  switch (ancestor) {
    case 0:
    case 10:
      return Level::kPix;  // 0: two GPUs of one board
    case 20:
      return Level::kPxb;
    case 30:
      return Level::kPhb;
    case 40:
      return Level::kNode;
    case 50:
      return Level::kSys;
    default:
      return Level::kUnknown;
  }
}

std::string p2p_problem(unsigned status) {
  switch (status) {
    case 1:
      return "the chipset does not support it";
    case 2:
      return "the GPU does not support it";
    case 3:
      return "the I/O hub does not support it";
    case 4:
      return "a setting of the driver disables it";
    case 5:
      return "not supported";
    default:
      return "unknown";
  }
}

class LinkReader {
 public:
  LinkReader(const Library& library, topology::Topology& topology, const std::vector<Seen>& seen)
      : api_(library.api()), topology_(topology), seen_(seen) {
    for (const Seen& one : seen)
      if (topology.gpus[one.gpu].pci) by_address_.emplace(*topology.gpus[one.gpu].pci, one.gpu);
  }

  void read() {
    for (const Seen& one : seen_) read_nvlinks(one);
    topology::add_direct_links(topology_, nvlinks_, Medium::kNvlink, source_);
    for (const Seen& one : seen_) read_c2c(one);
    topology::add_direct_links(topology_, c2c_, Medium::kC2c, LinkSource::kDriver);
    for (size_t a = 0; a < seen_.size(); ++a)
      for (size_t b = a + 1; b < seen_.size(); ++b) read_pair(seen_[a], seen_[b]);
  }

 private:
  /// One field as a whole number; nullopt when the driver does not tell.
  std::optional<unsigned long long> field(Device device, unsigned id) const {
    FieldValue value = {};
    value.field = id;
    if (api_.fields(device, 1, &value) != kSuccess || value.status != kSuccess) return std::nullopt;
    if (value.type == 0) return (unsigned long long)(value.value.number);
    return value.type == 1 ? value.value.u32 : value.value.u64;
  }

  void read_nvlinks(const Seen& one) {
    Gpu& gpu = topology_.gpus[one.gpu];
    int links = 0, active = 0;
    uint64_t errors = 0;
    std::map<std::pair<Peer, int>, int> ends;
    for (unsigned link = 0; link < kMaxLinks; ++link) {
      unsigned state = 0;
      if (api_.nvlink_state(one.device, link, &state) != kSuccess) continue;
      ++links;
      if (state == 0) continue;
      ++active;
      errors += errors_of(one.device, link);
      if (!gpu.nvlink_version) read_version(one.device, link, gpu);
      ++ends[far_end(one, link)];
    }
    if (links == 0) {
      gpu.missing.emplace("nvlink_count",
                          api_.nvlink_state ? "not supported" : "this driver is too old to tell");
      return;
    }
    const auto told = field(one.device, kFieldNvlinkCount);
    gpu.nvlink_count = told && *told >= unsigned(links) && *told <= kMaxLinks ? int(*told) : links;
    gpu.nvlink_active = active;
    gpu.nvlink_errors = errors;
    const auto megabytes = field(one.device, kFieldNvlinkSpeed);
    if (megabytes && *megabytes > 0) {
      gpu.nvlink_gbs = double(*megabytes) / 1000;
      source_ = LinkSource::kDriver;
    }
    for (const auto& [end, count] : ends)
      nvlinks_.push_back(
          {one.gpu, end.first, end.second, count, count * gpu.nvlink_gbs.value_or(0)});
  }

  void read_version(Device device, unsigned link, Gpu& gpu) const {
    unsigned number = 0;
    if (api_.nvlink_version(device, link, &number) != kSuccess) return;
    const Version version = version_of_link(number);
    if (version.major == 0) return;
    gpu.nvlink_version = version.major;
    gpu.nvlink_gbs = version.gbs;
  }

  uint64_t errors_of(Device device, unsigned link) const {
    uint64_t sum = 0;
    for (unsigned counter = 0; counter < kErrorCounters; ++counter) {
      unsigned long long value = 0;
      if (api_.nvlink_errors(device, link, counter, &value) == kSuccess) sum += value;
    }
    return sum;
  }

  /// What a link leads to. Where the driver does not say what it is, an address that is no GPU of
  /// this host is a switch.
  std::pair<Peer, int> far_end(const Seen& one, unsigned link) {
    unsigned kind = kRemoteSwitch;
    const bool kind_told = api_.nvlink_remote_type(one.device, link, &kind) == kSuccess;
    PciInfo info = {};
    const bool address_told = api_.nvlink_remote(one.device, link, &info) == kSuccess;
    const PciAddress address = address_of(info);
    const auto gpu = by_address_.find(address);
    if (address_told && gpu != by_address_.end() && kind != kRemoteNpu)
      return {Peer::kGpu, gpu->second};
    if (kind_told && kind == kRemoteNpu) {
      const int node = topology_.gpus[one.gpu].nodeset.first();
      return {Peer::kNuma, std::max(node, 0)};
    }
    const int next = int(switches_.size());
    return {Peer::kSwitch,
            switches_.try_emplace(address_told ? address : PciAddress(), next).first->second};
  }

  void read_c2c(const Seen& one) {
    C2cMode mode = {};
    if (api_.c2c(one.device, &mode) != kSuccess || mode.enabled == 0) return;
    const Gpu& gpu = topology_.gpus[one.gpu];
    const auto count = field(one.device, kFieldC2cCount), speed = field(one.device, kFieldC2cSpeed);
    const int strands = int(std::min<unsigned long long>(count.value_or(1), 64));
    for (int node : gpu.nodeset.indexes()) {
      if (node == gpu.memory_node) continue;
      c2c_.push_back(
          {one.gpu, Peer::kNuma, node, strands, strands * double(speed.value_or(0)) / 1000});
      return;  // the lowest is the processor's; higher ones belong to other GPUs
    }
  }

  /// The PCI level of a pair without NVLinks, and whether peer copies work.
  void read_pair(const Seen& a, const Seen& b) {
    unsigned status = 0;
    const bool p2p_told = api_.p2p_status(a.device, b.device, kP2pRead, &status) == kSuccess;
    const std::string note =
        p2p_told && status != 0 ? "no peer-to-peer: " + p2p_problem(status) : "";
    Link pair = topology::make_link(fmt::format("gpu{}", a.gpu), fmt::format("gpu{}", b.gpu));
    for (Link& link : topology_.links)
      if (link.a == pair.a && link.b == pair.b) {
        if (link.note.empty()) link.note = note;
        return;
      }
    unsigned ancestor = 0;
    if (api_.common_ancestor(a.device, b.device, &ancestor) != kSuccess) return;
    pair.level = level_of(ancestor);
    if (pair.level == Level::kUnknown) return;
    pair.medium = pair.level == Level::kSys ? Medium::kSocket : Medium::kPcie;
    pair.source = LinkSource::kDriver;
    pair.note = note;
    topology_.links.push_back(std::move(pair));
  }

  const Api& api_;
  topology::Topology& topology_;
  const std::vector<Seen>& seen_;
  std::map<PciAddress, int> by_address_, switches_;
  std::vector<DirectPort> nvlinks_, c2c_;
  LinkSource source_ = LinkSource::kTable;  // of bandwidths: driver once it tells a speed
};

}  // namespace

void read_links(const Library& library, const std::vector<Seen>& seen,
                topology::Topology& topology) {
  LinkReader(library, topology, seen).read();
}

}  // namespace aictl::nvml
