#include "core/topology/links/sockets.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/topology/bandwidth.hpp"
#include "core/topology/devices/locality.hpp"

namespace aictl::topology {
namespace {

constexpr int kMeansBandwidth = 8;  // hwloc's bit

/// What the interconnect between sockets carries.
double between_sockets(const Topology& topology) {
  for (const Object& object : topology.objects) {
    if (object.type != ObjectType::kPackage && object.type != ObjectType::kMachine) continue;
    if (const std::string model = info(object, "CPUModel"); !model.empty())
      return socket_gbs(model);
    const std::string vendor = info(object, "CPUVendor");
    if (vendor.empty()) continue;
    return socket_gbs(vendor, trailing_number(info(object, "CPUFamilyNumber")).value_or(0),
                      trailing_number(info(object, "CPUModelNumber")).value_or(0));
  }
  return 0;
}

}  // namespace

SocketLinks::SocketLinks(const Topology& topology)
    : topology_(topology), table_gbs_(between_sockets(topology)) {}

std::optional<Width> SocketLinks::between(const Bitset& a, const Bitset& b) const {
  if (a.empty() || b.empty() || a == b) return std::nullopt;
  if (const auto gbs = told(a, b)) return Width{*gbs, LinkSource::kDriver};
  if (table_gbs_ == 0 || share_package(a, b)) return std::nullopt;
  return Width{table_gbs_, LinkSource::kTable};
}

std::optional<double> SocketLinks::told(const Bitset& a, const Bitset& b) const {
  if (a.count() != 1 || b.count() != 1) return std::nullopt;
  const std::string from = fmt::format("NUMANode:{}", a.first());
  const std::string to = fmt::format("NUMANode:{}", b.first());
  for (const Distances& matrix : topology_.distances) {
    const auto& labels = matrix.labels;
    const auto row = std::find(labels.begin(), labels.end(), from);
    const auto column = std::find(labels.begin(), labels.end(), to);
    if ((matrix.kind & kMeansBandwidth) == 0 || row == labels.end() || column == labels.end())
      continue;
    const size_t at =
        size_t(row - labels.begin()) * labels.size() + size_t(column - labels.begin());
    if (at < matrix.values.size() && matrix.values[at] > 0)
      return double(matrix.values[at]) / 1000;  // MB/s
  }
  return std::nullopt;
}

bool SocketLinks::share_package(const Bitset& a, const Bitset& b) const {
  return std::any_of(topology_.objects.begin(), topology_.objects.end(), [&](const Object& object) {
    return object.type == ObjectType::kPackage && object.nodeset.contains(a) &&
           object.nodeset.contains(b);
  });
}

}  // namespace aictl::topology
