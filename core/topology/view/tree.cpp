// The tree. When it grows past the allowed lines, detail goes: first what cores have inside, then
// names that keep alike parts apart, then devices move out of the parts into a list.
#include <algorithm>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "core/topology/view/outline.hpp"
#include "core/topology/view/text.hpp"
#include "core/topology/view/words.hpp"

namespace aictl::topology::view {
namespace {

using Kind = Part::Kind;
using Lines = std::vector<std::string>;

constexpr size_t kMaxLinks = 8, kMaxWarnings = 6;  // lines of each section

std::string ranges(const std::vector<int>& numbers) {
  Bitset set;
  for (const int number : numbers)
    if (number >= 0 && number <= Bitset::kMaxIndex) set.set(number);
  return set.list();
}

/// "gpu0-7" of gpu0 ... gpu7, "mlx5_0-3,8"; else the names with commas.
std::string joined_names(const std::vector<std::string>& names) {
  const auto stem = [](const std::string& name) {
    return name.substr(0, name.find_last_not_of("0123456789") + 1);
  };
  const std::string common = names.empty() ? "" : stem(names[0]);
  Bitset numbers;
  for (const std::string& name : names) {
    auto one = Bitset::parse_list(name.substr(stem(name).size()));
    if (stem(name) == common && one) numbers = numbers | *one;
  }
  if (names.size() > 1 && !common.empty() && numbers.count() == int(names.size()))
    return common + numbers.list();
  return fmt::format("{}", fmt::join(names, ","));
}

/// `outer`: how many alike parents the part stands in.
std::string line_of(const Part& part, int outer) {
  const std::string each = part.times > 1 ? " each" : "";
  const std::string times = part.times > 1 ? fmt::format("{}x ", part.times) : "";
  std::string out;
  switch (part.kind) {
    case Kind::kMachine:
      return "machine";
    case Kind::kDevice: {
      std::string names = joined_names(part.names);
      if (names.size() > 36) names = shown(names, 36);
      const std::string noun = part.noun == "gpu" ? "" : part.noun + " ";
      return fmt::format("{}{}  {}{}", noun, names, times, part.text);
    }
    case Kind::kMemory:
      out = fmt::format("numa {}", ranges(part.numbers));
      if (!part.text.empty() || part.times > 1) out += fmt::format("  {}{}", times, part.text);
      return outer > 1 && part.times == 1 ? out + ", one each" : out;
    case Kind::kCore:
      out = fmt::format("{}{}, {} PU{}", times, part.noun, part.pus, each);
      break;
    case Kind::kPu:
      out = fmt::format("{}{}", times, part.noun);
      break;
    case Kind::kCache:
    case Kind::kGroup:
    case Kind::kDie:
      out = times + part.noun;
      if (part.times == 1 && outer == 1) out += " " + ranges(part.numbers);
      break;
    case Kind::kPackage:
      out = fmt::format("{}{}", times, part.noun);
      if (const std::string which = ranges(part.numbers); outer == 1 && !which.empty())
        out += " " + which;
  }
  // Which CPUs a core has matters more than its caches where a line is short.
  const bool leaf = part.kind == Kind::kCore || part.kind == Kind::kPu || part.times > 1;
  if (leaf && outer == 1 && !part.cpus.empty()) out += "  cpus " + part.cpus.list();
  if (!part.text.empty()) out += "  " + part.text;
  if (!part.cache.empty()) out += (part.text.empty() ? "  " : ", ") + part.cache;
  return out;
}

void draw(const Part& part, const std::string& indent, int outer, Lines& out) {
  for (size_t i = 0; i < part.parts.size(); ++i) {
    const bool last = i + 1 == part.parts.size();
    const Part& below = part.parts[i];
    out.push_back(indent + (last ? "└─ " : "├─ ") + line_of(below, outer));
    draw(below, indent + (last ? "   " : "│  "), outer * below.times, out);
  }
}

std::string source_text(const Link& link) {
  const std::string source(word(link.source));
  if (link.note.empty()) return source;
  return link.note.find(source) == std::string::npos ? source + "; " + link.note : link.note;
}

/// What the links of one kind have in common, and the pairs that have one.
struct LinkGroup {
  const Link* first;
  std::vector<std::string> pairs;
  std::vector<std::string> sources;
};

/// Links between GPUs, and direct ones from GPUs to memory nodes; best first.
std::vector<LinkGroup> link_groups(const Topology& topology) {
  using Key = std::tuple<bool, Level, int, double>;
  std::map<Key, LinkGroup> groups;
  for (const Link& link : topology.links) {
    const bool host = link.b.starts_with("numa") && link.level == Level::kNv;
    if (!link.a.starts_with("gpu") || (!host && !link.b.starts_with("gpu"))) continue;
    LinkGroup& group = groups
                           .emplace(Key{host, link.level, -link.count, -link.gbs.value_or(0)},
                                    LinkGroup{&link, {}, {}})
                           .first->second;
    group.pairs.push_back(link.a + "-" + (host ? link.b : link.b.substr(3)));
    const std::string source = source_text(link);
    if (std::find(group.sources.begin(), group.sources.end(), source) == group.sources.end())
      group.sources.push_back(source);
  }
  std::vector<LinkGroup> out;
  for (auto& [key, group] : groups) out.push_back(std::move(group));
  return out;
}

Lines link_lines(const Topology& topology) {
  const size_t n = topology.gpus.size();
  Lines out;
  for (const LinkGroup& group : link_groups(topology)) {
    const bool all =
        group.first->b.starts_with("gpu") && group.pairs.size() == n * (n - 1) / 2 && n > 2;
    const std::string pairs = all ? fmt::format("all {} pairs", group.pairs.size())
                              : group.pairs.size() > 12
                                  ? fmt::format("{} pairs", group.pairs.size())
                                  : fmt::format("{}", fmt::join(group.pairs, " "));
    const std::string speed = group.first->gbs ? " " + speed_text(group.first->gbs) : "";
    out.push_back(fmt::format("{}{} ({})  {}", group.first->word(), speed,
                              fmt::join(group.sources, "; "), pairs));
  }
  return out;
}

void section(std::string_view title, Lines lines, size_t most, Lines& out) {
  if (lines.empty()) return;
  if (lines.size() > most) {
    const size_t more = lines.size() - most + 1;
    lines.resize(most - 1);
    lines.push_back(fmt::format("and {} more; -o json has all", more));
  }
  for (const std::string& line : lines)
    out.push_back(fmt::format("{:<9}{}", title, line)), title = "";
}

Lines lines_of(const Topology& topology, const OutlineOptions& options) {
  Lines out;
  out.push_back(fmt::format("{}  {}", shown(machine_name(topology), 30), machine_text(topology)));
  const Part machine = outline(topology, options);
  if (!machine.cache.empty()) out.push_back("│  " + machine.cache);
  draw(machine, "", 1, out);
  if (!options.devices)
    for (const Part& part : device_list(topology)) out.push_back("+ " + line_of(part, 1));
  section("links", link_lines(topology), kMaxLinks, out);
  section("limits", limit_texts(topology), kMaxWarnings, out);
  Lines warnings;
  for (const Warning& warning : topology.warnings) warnings.push_back(warning.text);
  section("warnings", warnings, kMaxWarnings, out);
  return out;
}

}  // namespace

std::string tree(const Topology& topology) {
  static constexpr OutlineOptions kSteps[] = {
      {.caches = true},
      {.caches = false},
      {.fold_devices = true},
      {.devices = false, .fold_devices = true},
      {.caches = false, .devices = false, .fold_devices = true}};
  Lines lines;
  for (const OutlineOptions& options : kSteps) {
    lines = lines_of(topology, options);
    if (lines.size() <= kTreeLines) break;
  }
  if (lines.size() > kTreeLines) {
    const size_t more = lines.size() - kTreeLines + 1;
    lines.resize(kTreeLines - 1);
    lines.push_back(fmt::format("and {} lines more; -o json has all", more));
  }
  std::string out;
  for (const std::string& line : lines) out += shown(line, kTreeWidth) + "\n";
  return out;
}

}  // namespace aictl::topology::view
