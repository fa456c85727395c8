#include "core/topology/cpusets/calc.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/base/nearest.hpp"
#include "core/topology/cpusets/kinds.hpp"

namespace aictl::topology {
namespace {

constexpr size_t kLongest = 4096;  // of an expression
constexpr int kDeepest = 32;       // parentheses

std::string cut(std::string_view text) { return std::string(text.substr(0, 60)); }

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
  };
  for (const char c : text) {
    if (c == ' ' || c == '\t' || c == '\n') {
      end_word();
    } else if (c == '(' || c == ')') {
      end_word();
      words.push_back(std::string(1, c));
    } else {
      word += c;
    }
  }
  end_word();
  return words;
}

/// A kind of objects that can be picked by number, and how it is counted.
struct Pick {
  std::string_view word;
  ObjectType type;
  int level;  // of a cache
  bool by_os_index;
};
constexpr std::array kPicks = {
    Pick{"package", ObjectType::kPackage, 0, true}, Pick{"socket", ObjectType::kPackage, 0, true},
    Pick{"die", ObjectType::kDie, 0, false},        Pick{"group", ObjectType::kGroup, 0, false},
    Pick{"numa", ObjectType::kNuma, 0, true},       Pick{"node", ObjectType::kNuma, 0, true},
    Pick{"l3", ObjectType::kCache, 3, false},       Pick{"l2", ObjectType::kCache, 2, false},
    Pick{"core", ObjectType::kCore, 0, false},      Pick{"pu", ObjectType::kPu, 0, true},
    Pick{"cpu", ObjectType::kPu, 0, true}};

Result<Bitset> picked(const Topology& topology, const Pick& pick, std::string_view numbers) {
  std::vector<std::pair<int, const Object*>> all;
  Bitset present;
  for (const Object* object : objects_of(topology, pick.type)) {
    if (pick.level != 0 &&
        (object->level != pick.level || object->cache_type == CacheType::kInstruction))
      continue;
    const int number = pick.by_os_index ? object->os_index : int(all.size());
    all.emplace_back(number, object);
    if (number >= 0 && number <= Bitset::kMaxIndex) present.set(number);
  }
  Bitset wanted = present;
  if (numbers != "all") {
    auto list = Bitset::parse_list(numbers);
    if (!list) return std::move(list).error();
    wanted = *std::move(list);
  }
  if (const Bitset absent = wanted - present; !absent.empty() || wanted.empty())
    return Error{ErrorCode::kNotFound,
                 fmt::format("there is no {} {}", pick.word, cut(absent.list())),
                 present.empty() ? fmt::format("this machine has no {}", pick.word)
                                 : fmt::format("it has {}", cut(present.list()))};
  Bitset cpus;
  for (const auto& [number, object] : all)
    if (wanted.test(number)) cpus = cpus | object->cpuset;
  return cpus;
}

class Calculation {
 public:
  Calculation(const Topology& topology, std::vector<std::string> words)
      : topology_(topology), words_(std::move(words)) {
    if (!topology.objects.empty()) all_ = topology.objects[0].cpuset;
  }

  Result<Bitset> run() {
    auto sum = expression(0);
    if (sum && at_ < words_.size()) return unexpected("the end");
    return sum;
  }

 private:
  bool take(std::string_view word) {
    if (at_ >= words_.size() || words_[at_] != word) return false;
    ++at_;
    return true;
  }
  bool next_is(std::string_view word) const { return at_ < words_.size() && words_[at_] == word; }

  Error unexpected(std::string_view wanted) const {
    static constexpr std::array<std::string_view, 16> kKnown = {
        "all", "package", "die",   "group", "numa", "core", "pu",          "l2",
        "l3",  "near",    "cores", "cpus",  "and",  "no",   "performance", "efficiency"};
    if (at_ >= words_.size())
      return {ErrorCode::kInvalidArgument,
              fmt::format("the expression ends where {} should be", wanted),
              "such as 'cores near gpu0' or 'numa:1 no smt'"};
    const std::string& word = words_[at_];
    std::string hint = did_you_mean(word.substr(0, word.find(':')), kKnown);
    if (hint.empty()) hint = "such as 'cores near gpu0', 'numa:1 no smt' or '0-3,8'";
    return {ErrorCode::kInvalidArgument, fmt::format("'{}' is not {}", cut(word), wanted), hint};
  }

  Result<Bitset> expression(int depth) {
    auto sum = filtered(depth);
    while (sum && at_ < words_.size() && !next_is(")")) {
      const bool minus = take("-") || take("minus");
      const bool both = !minus && (take("and") || take("&"));
      if (!minus && !both && !take("+")) take("or");
      auto right = filtered(depth);
      if (!right) return right;
      sum = minus ? *sum - *right : both ? *sum & *right : *sum | *right;
    }
    return sum;
  }

  Result<Bitset> filtered(int depth) {
    auto set = atom(depth);
    while (set && take("no")) {
      if (take("smt"))
        set = without_siblings(*set);
      else if (take("efficiency"))
        set = *set - economical_cpus(topology_);
      else
        return unexpected("smt or efficiency, which follow 'no'");
    }
    return set;
  }

  Result<Bitset> atom(int depth) {
    if (at_ >= words_.size()) return unexpected("a set of CPUs");
    if (take("(")) return parenthesis(depth);
    if (next_is("no"))
      return Error{ErrorCode::kInvalidArgument, "'no' has no set before it to leave CPUs out of",
                   "such as 'all no smt'"};
    if (take("all")) return all_;
    if (take("efficiency")) return sorted_cores(economical_cpus(topology_));
    if (take("performance")) return sorted_cores(all_ - economical_cpus(topology_));
    const bool of_devices = take("cores") || take("cpus") || take("pus");
    if (take("near")) {
      if (at_ >= words_.size()) return unexpected("a device");
      return cpus_near(topology_, words_[at_++]);
    }
    if (of_devices) return unexpected("'near'");
    return named_or_numbered();
  }

  Result<Bitset> parenthesis(int depth) {
    if (depth >= kDeepest)
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("more than {} parentheses inside each other", kDeepest), ""};
    auto inner = expression(depth + 1);
    if (inner && !take(")")) return unexpected("')'");
    return inner;
  }

  /// "performance" may be followed by the word cores.
  Bitset sorted_cores(const Bitset& cpus) {
    if (!take("cores")) take("cpus");
    return cpus & all_;
  }

  Result<Bitset> named_or_numbered() {
    const std::string& word = words_[at_];
    const size_t colon = word.find(':');
    const auto pick = std::find_if(kPicks.begin(), kPicks.end(), [&](const Pick& one) {
      return colon != word.npos && word.substr(0, colon) == one.word;
    });
    if (pick != kPicks.end()) {
      ++at_;
      return picked(topology_, *pick, std::string_view(word).substr(colon + 1));
    }
    auto numbers = Bitset::parse(word);
    const bool numeral = !word.empty() && word[0] >= '0' && word[0] <= '9';
    if (!numbers && numeral) return numbers;
    if (!numbers || word.empty()) return unexpected("a set of CPUs");
    ++at_;
    return numbers;
  }

  Bitset without_siblings(const Bitset& set) const {
    Bitset rest = set;
    for (const Object* core : objects_of(topology_, ObjectType::kCore)) {
      const Bitset mine = core->cpuset & set;
      for (const int cpu : mine.indexes())
        if (cpu != mine.first()) rest.clear(cpu);
    }
    return rest;
  }

  const Topology& topology_;
  std::vector<std::string> words_;
  Bitset all_;
  size_t at_ = 0;
};

/// Looks a device up by the name links use, or its own.
template <typename Device, typename Names>
const Device* find_device(const std::vector<Device>& devices, std::string_view kind,
                          std::string_view name, Names names) {
  for (size_t i = 0; i < devices.size(); ++i) {
    if (fmt::format("{}{}", kind, i) == name) return &devices[i];
    for (const std::string& own : names(devices[i]))
      if (own == name) return &devices[i];
  }
  return nullptr;
}

Result<Bitset> place_of(const Topology& topology, std::string_view name, const Bitset& cpuset,
                        const Bitset& nodeset) {
  if (!cpuset.empty()) return cpuset;
  Bitset cpus;
  for (const Object* node : objects_of(topology, ObjectType::kNuma))
    if (nodeset.test(node->os_index)) cpus = cpus | node->cpuset;
  if (!cpus.empty()) return cpus;
  return Error{ErrorCode::kNotFound, fmt::format("nothing is known of where '{}' is", name),
               "`aictl topo explain` shows what is known; name the CPUs by number instead"};
}

}  // namespace

Result<Bitset> cpus_near(const Topology& topology, std::string_view device) {
  const std::string name = cut(device);
  if (const Gpu* gpu = find_device(topology.gpus, "gpu", device, [](const Gpu& one) {
        std::vector<std::string> names = one.names;
        names.push_back(one.uuid);
        if (one.pci) names.push_back(one.pci->text());
        return names;
      }))
    return place_of(topology, name, gpu->cpuset, gpu->nodeset);
  if (const Nic* nic = find_device(topology.nics, "nic", device, [](const Nic& one) {
        std::vector<std::string> names = one.names;
        names.push_back(one.name);
        return names;
      }))
    return place_of(topology, name, nic->cpuset, nic->nodeset);
  if (const Disk* disk = find_device(topology.disks, "disk", device, [](const Disk& one) {
        return std::vector<std::string>{one.name};
      }))
    return place_of(topology, name, disk->cpuset, disk->nodeset);
  for (const Object* node : objects_of(topology, ObjectType::kNuma))
    if (fmt::format("numa{}", node->os_index) == device)
      return place_of(topology, name, node->cpuset, {});
  return Error{ErrorCode::kNotFound, fmt::format("this machine has no '{}'", name),
               "`aictl topo -o table` lists its devices"};
}

Bitset nodes_of(const Topology& topology, const Bitset& cpus) {
  Bitset nodes;
  for (const Object* node : objects_of(topology, ObjectType::kNuma))
    if (node->tier != MemoryTier::kGpu && node->os_index >= 0 && node->cpuset.intersects(cpus))
      nodes.set(node->os_index);
  return nodes;
}

Result<Bitset> calculate(const Topology& topology, std::string_view expression) {
  if (expression.size() > kLongest)
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("an expression of {} bytes; at most {}", expression.size(), kLongest),
                 ""};
  return Calculation(topology, words_of(expression)).run();
}

}  // namespace aictl::topology
