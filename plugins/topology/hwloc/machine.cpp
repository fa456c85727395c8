#include "plugins/topology/hwloc/machine.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/base/file.hpp"
#include "plugins/topology/hwloc/rehearse.hpp"

namespace aictl::hwloc {
namespace {

using Variables = std::vector<std::pair<std::string, std::string>>;

// Variables of the environment for the time of a scope: libhwloc takes a captured root in no other
// way.
class ScopedVariables {
 public:
  explicit ScopedVariables(const Variables& variables) {
    for (const auto& [name, value] : variables) {
      const char* before = std::getenv(name.c_str());
      before_.emplace_back(name, before ? std::optional<std::string>(before) : std::nullopt);
      setenv(name.c_str(), value.c_str(), 1);
    }
  }
  ScopedVariables(const ScopedVariables&) = delete;
  ScopedVariables& operator=(const ScopedVariables&) = delete;
  ~ScopedVariables() {
    for (const auto& [name, value] : before_)
      value ? setenv(name.c_str(), value->c_str(), 1) : unsetenv(name.c_str());
  }

 private:
  std::vector<std::pair<std::string, std::optional<std::string>>> before_;
};

Result<Machine> empty_machine(unsigned long flags, bool whole_io) {
  // What libhwloc has to say about firmware goes to stderr in boxes of stars; read once, by it.
  static const bool quiet = setenv("HWLOC_HIDE_ERRORS", "2", 0) == 0;
  hwloc_topology* made = nullptr;
  if (!quiet || hwloc_topology_init(&made) != 0)
    return Error{ErrorCode::kResourceExhausted, "no memory for a topology", ""};
  Machine machine(made);
  hwloc_topology_set_all_types_filter(machine.get(), HWLOC_TYPE_FILTER_KEEP_ALL);
  hwloc_topology_set_io_types_filter(
      machine.get(), whole_io ? HWLOC_TYPE_FILTER_KEEP_ALL : HWLOC_TYPE_FILTER_KEEP_IMPORTANT);
  hwloc_topology_set_flags(machine.get(), flags);
  return machine;
}

unsigned long flags_of(bool disallowed) {
  return disallowed ? HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED : 0;
}

/// A captured root may hold anything, and libhwloc aborts on a list of memory nodes it cannot read,
/// waits for pipes, and reads whatever length there is.
Result<void> check_capture(const std::filesystem::path& root) {
  constexpr size_t kMost = size_t{64} << 20;  // of a machine's cpuinfo
  constexpr int kMaxNode = 1023;              // of Linux
  std::error_code ignored;
  for (const char* name : {"proc/cpuinfo", "proc/meminfo", "proc/mounts", "proc/self/cpuset",
                           "proc/self/cgroup", "sys/devices/system/cpu/online",
                           "sys/devices/system/cpu/possible", "sys/devices/system/node/online"}) {
    const std::filesystem::path path = root / name;
    if (!std::filesystem::exists(path, ignored)) continue;
    if (!std::filesystem::is_regular_file(path, ignored) ||
        std::filesystem::file_size(path, ignored) > kMost)
      return Error{ErrorCode::kDataRefused,
                   fmt::format("{} is no file of at most 64 MiB", path.string()),
                   "capture the root again"};
    if (path.filename() != "online" && path.filename() != "possible") continue;
    auto text = read_file(path);
    if (!text) return std::move(text).error();
    text->resize(std::min(text->find('\0'), text->size()));  // some captures keep the final zero
    const auto set = topology::Bitset::parse_list(*text);
    const bool nodes = path.parent_path().filename() == "node";
    if (!set || set->empty() || (nodes && set->last() > kMaxNode))
      return Error{ErrorCode::kDataRefused,
                   fmt::format("{} holds no list of indexes", path.string()), "such as 0-3,8"};
  }
  return {};
}

/// A machine that others described: in a rehearsal first, then for real by the same `load`. Empty
/// when libhwloc refuses it. Errors: kDataRefused when it falls over it.
template <class Load>
Result<Machine> load_rehearsed(unsigned long flags, bool whole_io, const Load& load) {
  const auto attempt = [&]() -> Result<Machine> {
    auto machine = empty_machine(flags, whole_io);
    if (machine && !load(machine->get())) return Machine();
    return machine;
  };
  errno = 0;
  switch (rehearse([&] {
    const auto machine = attempt();
    return machine && *machine;
  })) {
    case Rehearsal::kRead:
      return attempt();
    case Rehearsal::kRefused:
      return Machine();
    case Rehearsal::kFell:
      return Error{ErrorCode::kDataRefused,
                   "what it describes contradicts itself so that libhwloc fails on it",
                   "check its cpusets and nodesets"};
    case Rehearsal::kNoChild:
      break;
  }
  return Error{ErrorCode::kIo, fmt::format("no process to read it in: {}", std::strerror(errno)),
               "see ulimit -u"};
}

}  // namespace

Result<Machine> load_machine(const Sight& sight) {
  const auto load = [](hwloc_topology* machine) { return hwloc_topology_load(machine) == 0; };
  if (sight.sysroot == "/") {
    auto machine = empty_machine(flags_of(sight.disallowed), sight.whole_io);
    if (!machine || load(machine->get())) return machine;
  } else {
    if (auto sound = check_capture(sight.sysroot); !sound) return std::move(sound).error();
    const ScopedVariables root({{"HWLOC_FSROOT", sight.sysroot.string()},
                                {"HWLOC_COMPONENTS", "linux,stop"},
                                {"HWLOC_THISSYSTEM", "0"}});
    auto machine = load_rehearsed(flags_of(sight.disallowed), sight.whole_io, load);
    if (!machine || *machine) return machine;
  }
  return Error{sight.sysroot == "/" ? ErrorCode::kIo : ErrorCode::kDataRefused,
               fmt::format("no processors to be seen under {}", sight.sysroot.string()),
               "a root holds sys/ and proc/"};
}

Result<Machine> load_xml(const std::string& xml, bool disallowed) {
  auto machine = load_rehearsed(flags_of(disallowed), true, [&](hwloc_topology* empty) {
    // The size includes the final zero, which a std::string has.
    return hwloc_topology_set_xmlbuffer(empty, xml.c_str(), int(xml.size() + 1)) == 0 &&
           hwloc_topology_load(empty) == 0;
  });
  if (!machine || *machine) return machine;
  return Error{ErrorCode::kDataRefused, "libhwloc reads no machine out of it",
               "check it with lstopo -i FILE"};
}

Result<Machine> load_synthetic(const std::string& description) {
  if (auto bounded = check_synthetic(description); !bounded) return std::move(bounded).error();
  auto machine = load_rehearsed(0, true, [&](hwloc_topology* empty) {
    return hwloc_topology_set_synthetic(empty, description.c_str()) == 0 &&
           hwloc_topology_load(empty) == 0;
  });
  if (!machine || *machine) return machine;
  return Error{ErrorCode::kInvalidArgument, fmt::format("'{}' describes no machine", description),
               "such as \"package:2 numa:1 core:8 pu:2\""};
}

}  // namespace aictl::hwloc
