#include "core/topology/json/read.hpp"

#include "core/topology/json.hpp"

namespace aictl::topology {
namespace {

bool not_a(std::string_view wanted, const Json& tree, Reading& reading) {
  return reading.fail(fmt::format("{} is not {}", dump_json(tree).substr(0, 40), wanted));
}

bool read_object(const Json& tree, Object& out, Reading& reading) {
  if (!read(tree, out, reading)) return false;
  const auto complete = [&](const char* key, const Bitset& plain, Bitset& set) {
    const auto found = tree.find(key);
    if (found != tree.end())
      return read(*found, set, reading) || reading.within(fmt::format(".{}", key));
    set = plain;
    return reading.take(plain.last() / 8 + 1);
  };
  return complete("complete_cpuset", out.cpuset, out.complete_cpuset) &&
         complete("complete_nodeset", out.nodeset, out.complete_nodeset);
}

bool read_objects(const Json& tree, Topology& out, Reading& reading) {
  const auto list = tree.find("objects");
  if (list == tree.end()) return reading.fail("missing") || reading.within("objects");
  if (!list->is_array()) return reading.fail("not an array") || reading.within("objects");
  if (!reading.take(list->size() * sizeof(Object))) return reading.within("objects");
  out.objects.resize(list->size());
  for (size_t i = 0; i < list->size(); ++i) {
    Object& object = out.objects[i];
    if (!read_object((*list)[i], object, reading))
      return reading.within(fmt::format("objects[{}]", i));
    const bool root = object.type == ObjectType::kMachine && object.parent == -1;
    const bool child = object.type != ObjectType::kMachine && object.parent >= 0;
    if (i == 0 ? !root : !child || size_t(object.parent) >= i) {
      reading.fail(
          fmt::format("{} with parent {}: the machine comes first, parents before children",
                      word(object.type), object.parent));
      return reading.within(fmt::format("objects[{}].parent", i));
    }
  }
  return true;
}

bool read_distances(const Json& tree, Topology& out, Reading& reading) {
  const auto list = tree.find("distances");
  if (list == tree.end()) return true;
  if (!read(*list, out.distances, reading)) return reading.within("distances");
  for (size_t i = 0; i < out.distances.size(); ++i) {
    const Distances& matrix = out.distances[i];
    const size_t n = matrix.labels.size();
    bool fits = matrix.values.size() == n * n;
    fits = fits && (matrix.objects.empty() || matrix.objects.size() == n);
    for (int object : matrix.objects)
      fits = fits && object >= 0 && size_t(object) < out.objects.size();
    if (fits) continue;
    reading.fail(fmt::format("{} values for {} labels, or objects that are not there",
                             matrix.values.size(), n));
    return reading.within(fmt::format("distances[{}]", i));
  }
  return true;
}

bool read_all(const Json& tree, Topology& out, Reading& reading) {
  const auto field = [&](const char* key, auto& value) {
    const auto found = tree.find(key);
    return found == tree.end() || read(*found, value, reading) || reading.within(key);
  };
  return field("origin", out.origin) && field("hostname", out.hostname) &&
         field("complete_cpuset", out.complete_cpuset) &&
         field("allowed_cpuset", out.allowed_cpuset) &&
         field("allowed_nodeset", out.allowed_nodeset) && field("cpukinds", out.cpu_kinds) &&
         read_objects(tree, out, reading) && read_distances(tree, out, reading) &&
         read(tree, out, reading);
}

}  // namespace

bool read(const Json& tree, bool& out, Reading& reading) {
  if (!tree.is_boolean()) return not_a("true or false", tree, reading);
  out = tree.get<bool>();
  return true;
}

bool read(const Json& tree, double& out, Reading& reading) {
  if (!tree.is_number()) return not_a("a number", tree, reading);
  out = tree.get<double>();
  return true;
}

bool read(const Json& tree, std::string& out, Reading& reading) {
  if (!tree.is_string()) return not_a("a text", tree, reading);
  out = tree.get_ref<const std::string&>();
  return true;
}

bool read(const Json& tree, Bitset& out, Reading& reading) {
  if (!tree.is_string()) return not_a("a set", tree, reading);
  auto set = Bitset::parse_list(tree.get_ref<const std::string&>());
  if (!set) return reading.fail(set.error().message);
  out = *std::move(set);
  return reading.take(out.last() / 8 + 1);
}

bool read(const Json& tree, PciAddress& out, Reading& reading) {
  const auto address =
      tree.is_string() ? PciAddress::parse(tree.get_ref<const std::string&>()) : std::nullopt;
  if (!address) return not_a("a PCI address", tree, reading);
  out = *address;
  return true;
}

bool read(const Json& tree, std::pair<std::string, std::string>& out, Reading& reading) {
  if (!tree.is_array() || tree.size() != 2 || !tree[0].is_string() || !tree[1].is_string())
    return not_a("a pair of texts", tree, reading);
  out = {tree[0].get<std::string>(), tree[1].get<std::string>()};
  return true;
}

bool read(const Json& tree, std::map<std::string, std::string>& out, Reading& reading) {
  if (!tree.is_object()) return reading.fail("not an object");
  for (const auto& [key, value] : tree.items())
    if (!read(value, out[key], reading)) return reading.within("." + key);
  return true;
}

Result<Topology> from_json(const Json& tree) {
  const auto refused = [](std::string_view path, std::string_view problem) {
    return Error{ErrorCode::kDataRefused, fmt::format("{}: {}", path, problem),
                 "as aictl topo -o json writes it, see man aictl-topology.5"};
  };
  const auto version = tree.is_object() ? tree.find("aictl_topology") : tree.end();
  if (!tree.is_object() || version == tree.end()) return refused("aictl_topology", "missing");
  if (*version != 1) return refused("aictl_topology", "a version other than 1");
  Topology topology;
  Reading reading;
  if (read_all(tree, topology, reading)) return topology;
  if (reading.path.starts_with('.')) reading.path.erase(0, 1);
  return refused(reading.path, reading.problem);
}

}  // namespace aictl::topology
