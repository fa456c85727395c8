// The difference of two topologies, key by key of their JSON; of the objects, row by row.
#include "core/topology/xml/remainder.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "core/topology/json.hpp"
#include "core/topology/json/read.hpp"
#include "core/topology/json/write.hpp"
#include "core/topology/xml/flat.hpp"

namespace aictl::topology {
namespace {

constexpr std::string_view kPrefix = "aictl.";
constexpr std::string_view kTree = "objects";
// Worked out from the rest.
constexpr std::string_view kViews[] = {"aictl_topology",  "counts", "total_memory_bytes",
                                       "cpuset",          "numa",   "packages",
                                       "gpu_pcie_levels", "osdevs", kTree};
// Not of the machine, or for people.
constexpr std::string_view kOther[] = {"aictl.gpu", "aictl.model", "aictl.uuid",
                                       kStandIn,    kPciRemainder, kOurs};
// Readers of XML bound the length of a value.
constexpr size_t kChunk = 32 << 10;

template <size_t N>
bool is_in(const std::string_view (&list)[N], std::string_view word) {
  return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

/// FNV-1a of the objects: whether rows still mean the objects they were written for.
std::string digest_of(const Json& objects) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char c : dump_json(objects)) hash = (hash ^ c) * 0x100000001b3;
  return fmt::format("{:016x}", hash);
}

/// As JSON, without the two characters that JSON has and XML has not.
std::string text_of(const Json& value) {
  std::string text = dump_json(value);
  for (const auto& [character, escape] :
       {std::pair("\xEF\xBF\xBE", "\\ufffe"), std::pair("\xEF\xBF\xBF", "\\uffff")})
    for (size_t at = 0; (at = text.find(character, at)) != text.npos;) text.replace(at, 3, escape);
  return text;
}

void add(const std::string& key, const Json& value, Infos& out) {
  const std::string text = text_of(value);
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(at + kChunk, text.size());
    while (end < text.size() && (text[end] & 0xC0) == 0x80) --end;  // within a character
    out.emplace_back(kPrefix.data() + key, text.substr(at, end - at));
    at = end;
  }
}

Json tree_remainder(const Json& meant, const Json& seen) {
  Json rows = Json::array();
  for (size_t i = 0; i < meant.size(); ++i)
    if (i >= seen.size() || meant[i] != seen[i]) rows.push_back(Json::array({i, meant[i]}));
  return {{"digest", digest_of(seen)}, {"count", meant.size()}, {"rows", std::move(rows)}};
}

Error refused(std::string_view key, std::string_view why) {
  return {ErrorCode::kDataRefused, fmt::format("info aictl.{}: {}", key, why), ""};
}

/// The rows of the tree that hwloc could not carry, into `objects`. False: they belong to another
/// tree than this.
Result<bool> put_rows(const Json& remainder, Json& objects) {
  const auto field = [&](const char* key) {
    return remainder.is_object() && remainder.contains(key) ? remainder[key] : Json();
  };
  const Json digest = field("digest"), count = field("count"), rows = field("rows");
  if (!digest.is_string() || !count.is_number_unsigned() || !rows.is_array())
    return refused(kTree, "without digest, count or rows");
  if (digest != digest_of(objects)) return false;
  const size_t wanted = count.get<size_t>();
  if (wanted > objects.size() + rows.size()) return refused(kTree, "fewer rows than objects");
  while (objects.size() > wanted) objects.erase(objects.size() - 1);
  while (objects.size() < wanted) objects.push_back(nullptr);
  for (const Json& row : rows) {
    if (!row.is_array() || row.size() != 2 || !row[0].is_number_unsigned() ||
        row[0].get<size_t>() >= wanted)
      return refused(kTree, "a row of no object");
    objects[row[0].get<size_t>()] = row[1];
  }
  return true;
}

Result<void> restore_pci(Object& object) {
  for (const auto& [name, value] : object.infos) {
    if (name != kPciRemainder) continue;
    auto tree = parse_json(value);
    if (!tree) return std::move(tree).error().within("info aictl.pci");
    Reading reading;
    if (!read(*tree, object.pci, reading)) return refused("pci" + reading.path, reading.problem);
  }
  return {};
}

/// The machine's "aictl." infos, chunks joined.
std::map<std::string, std::string> taken_from(const Object& machine) {
  std::map<std::string, std::string> texts;
  for (const auto& [name, value] : machine.infos)
    if (name.starts_with(kPrefix) && !is_in(kOther, name))
      texts[name.substr(kPrefix.size())] += value;
  return texts;
}

}  // namespace

Infos remainder(const Topology& meant, const Topology& seen) {
  Infos out;
  const Json want = to_json(meant), have = to_json(seen);
  for (const auto& [key, value] : want.items())
    if (!is_in(kViews, key) && (!have.contains(key) || have[key] != value)) add(key, value, out);
  for (const auto& [key, value] : have.items())
    if (!is_in(kViews, key) && !want.contains(key)) add(key, nullptr, out);
  // A matrix tells its objects by their place in the tree, so the tree has to be the same.
  const bool matrices = want["distances"] != have["distances"];
  if (matrices || want[kTree.data()] != have[kTree.data()])
    add(kTree.data(), tree_remainder(want[kTree.data()], have[kTree.data()]), out);
  return out;
}

std::string pci_remainder(const PciFacts& facts) {
  PciFacts carried;  // by hwloc
  carried.address = facts.address;
  carried.vendor = facts.vendor, carried.device = facts.device;
  carried.subvendor = facts.subvendor, carried.subdevice = facts.subdevice;
  carried.class_id = facts.class_id, carried.revision = facts.revision;
  carried.link_gbs = facts.link_gbs;
  const Json all = write(facts), known = write(carried);
  Json rest = Json::object();
  for (const auto& [key, value] : all.items())
    if (!known.contains(key)) rest[key] = value;
  return rest.empty() ? "" : text_of(rest);
}

Result<void> restore(Topology& topology) {
  if (topology.objects.empty()) return {};
  const auto texts = taken_from(topology.objects[0]);
  for (Object& object : topology.objects) {
    if (auto put = restore_pci(object); !put) return put;
    std::erase_if(object.infos, [](const auto& info) { return info.first.starts_with(kPrefix); });
  }
  if (texts.empty()) return {};
  Json tree = to_json(topology);
  std::map<std::string, Json> values;
  for (const auto& [key, text] : texts) {
    auto value = parse_json(text);
    if (!value) return std::move(value).error().within("info aictl." + key);
    values[key] = *std::move(value);
  }
  bool same_tree = true;
  if (const auto rows = values.find(std::string(kTree)); rows != values.end()) {
    auto put = put_rows(rows->second, tree[kTree.data()]);
    if (!put) return std::move(put).error();
    same_tree = *put;
  }
  for (auto& [key, value] : values) {
    if (key == kTree || (key == "distances" && !same_tree)) continue;
    if (value.is_null())
      tree.erase(key);
    else
      tree[key] = std::move(value);
  }
  auto whole = from_json(tree);
  if (!whole) return std::move(whole).error().within("the aictl. infos");
  topology = *std::move(whole);
  if (!same_tree)
    topology.warnings.push_back({"xml_changed",
                                 "the tree is not the one aictl wrote: what hwloc's XML has no "
                                 "place for is left out of it"});
  return {};
}

}  // namespace aictl::topology
