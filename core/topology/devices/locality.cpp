#include "core/topology/devices/locality.hpp"

#include <charconv>

#include <fmt/format.h>

#include "core/topology/devices.hpp"
#include "core/topology/links/direct.hpp"

namespace aictl::topology {

int anchor_of(const Topology& topology, int index) {
  while (index >= 0) {
    const Object& object = topology.objects[index];
    if (object.type != ObjectType::kBridge && object.type != ObjectType::kPci &&
        object.type != ObjectType::kOsDevice && object.type != ObjectType::kMisc)
      return index;
    index = object.parent;
  }
  return -1;
}

const Object* function_of(const Topology& topology, int index) {
  for (; index >= 0; index = topology.objects[index].parent) {
    const Object& object = topology.objects[index];
    if (object.type == ObjectType::kPci) return &object;
    if (object.type != ObjectType::kOsDevice) return nullptr;
  }
  return nullptr;
}

Place place_of(const Topology& topology, int index) {
  const int anchor = anchor_of(topology, index);
  if (anchor < 0) return {};
  const Object& object = topology.objects[anchor];
  const Object& machine = topology.objects.front();
  if (object.nodeset == machine.nodeset && machine.nodeset.count() > 1) return {};
  return {object.cpuset, object.nodeset};
}

std::string info(const Object& object, std::string_view name) {
  for (const auto& [key, value] : object.infos)
    if (key == name) return value;
  return "";
}

std::optional<int> trailing_number(std::string_view name) {
  const size_t digits = name.find_last_not_of("0123456789") + 1;  // npos + 1 is 0
  int number = 0;
  const auto [end, error] =
      std::from_chars(name.data() + digits, name.data() + name.size(), number);
  if (error != std::errc() || digits == name.size()) return std::nullopt;
  return number;
}

void renumber_links(Topology& topology, std::string_view kind, const std::vector<int>& new_number) {
  const auto renamed = [&](const std::string& end) {
    const auto number = trailing_number(end);
    const bool ours = number && end.starts_with(kind) && size_t(*number) < new_number.size();
    return ours ? fmt::format("{}{}", kind, new_number[*number]) : end;
  };
  for (Link& link : topology.links) {
    const Link ends = make_link(renamed(link.a), renamed(link.b));
    link.a = ends.a;
    link.b = ends.b;
  }
}

void join_devices(Topology& topology) {
  join_gpus(topology);
  join_nics(topology);
  join_disks(topology);
}

void finish(Topology& topology) {
  join_devices(topology);
  derive_links(topology);
}

}  // namespace aictl::topology
