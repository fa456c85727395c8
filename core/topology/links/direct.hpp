// Direct links: NVLink, XGMI and C2C, whoever saw them. Each GPU has ports; what they lead to makes
// the pairs. Ports that end at a switch join all GPUs at switches to one fabric.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "core/topology/topology.hpp"

namespace aictl::topology {

/// Links of one GPU that lead to the same place.
struct DirectPort {
  enum class Peer { kGpu, kNuma, kSwitch };

  int gpu = 0;  // position in Topology::gpus
  Peer peer = Peer::kGpu;
  int index = 0;   // of the GPU, of the NUMA node (by the operating system), of the switch
  int count = 0;   // links joined; 0: unknown
  double gbs = 0;  // of all of them together; 0: unknown
};

/// Adds a link for each pair that `ports` join, unless the pair has one already. A port may be
/// given from both ends. GPUs at switches: the pair gets what the weaker of the two has; where no
/// switch is shared the trunk between switches is inferred, and the note says so.
void add_direct_links(Topology& topology, std::span<const DirectPort> ports, Medium medium,
                      LinkSource source);

/// Matrices of links rather than of MB/s: what dumps have that count strands.
inline constexpr std::string_view kNvlinkCount = "NVLinkCount", kXgmiCount = "XGMICount";

/// The ports that a distance matrix shows: NVLinkBandwidth, XGMIBandwidth, XeLinkBandwidth in MB/s;
/// NVLinkCount, XGMICount in links.
std::vector<DirectPort> ports_of(const Topology& topology, const Distances& matrix);

/// Orders the ends as `Link` wants them: "gpu" before "nic" before "numa", then by number.
Link make_link(std::string a, std::string b);

}  // namespace aictl::topology
