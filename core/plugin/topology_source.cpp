#include "core/plugin/topology_source.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "core/base/file.hpp"
#include "core/plugin/plugins.hpp"
#include "core/topology/devices.hpp"

namespace aictl {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxInput = size_t{64} << 20;
constexpr size_t kStart = size_t{64} << 10;  // how much of a file tells its format

Error refused(std::string message, std::string hint) {
  return {ErrorCode::kDataRefused, std::move(message), std::move(hint)};
}

std::string known_formats(const Plugins& plugins) {
  std::string list;
  for (const auto& row : plugins.topology.rows()) {
    const auto source = row.make();
    const std::string_view format = source->imports();
    if (!format.empty()) list += fmt::format("{}{}", list.empty() ? "known: " : ", ", format);
  }
  return list;
}

/// Up to `size` bytes; fewer at the end of the input.
Result<std::string> read_start(int fd, size_t size) {
  std::string start(size, '\0');
  size_t have = 0;
  while (have < size) {
    const ssize_t got = ::read(fd, start.data() + have, size - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error("read", errno);
    if (got == 0) break;
    have += size_t(got);
  }
  start.resize(have);
  return start;
}

bool is_recognised(const Plugins& plugins, std::string_view start) {
  for (const auto& row : plugins.topology.rows())
    if (row.make()->recognises(start)) return true;
  return false;
}

/// Of a file that nobody recognises no more than the start.
Result<std::string> read_bytes(const Plugins& plugins, int fd) {
  const Error too_large{ErrorCode::kTooLarge, "", ""};
  struct stat status {};
  if (::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && size_t(status.st_size) > kMaxInput)
    return too_large;
  auto bytes = read_start(fd, kStart);
  if (!bytes || bytes->size() < kStart || !is_recognised(plugins, *bytes)) return bytes;
  auto rest = read_all(fd, kMaxInput - kStart);
  if (!rest) return rest;
  return *bytes + *rest;
}

Result<std::string> read_input(const Plugins& plugins, const std::string& file) {
  if (file == "-") return read_bytes(plugins, STDIN_FILENO);
  std::error_code failed;
  const fs::file_status status = fs::status(file, failed);
  if (failed == std::errc::too_many_symbolic_link_levels)
    return refused("a link that leads back to itself", "name the file it was meant to be");
  if (fs::is_directory(status))
    return refused("a folder, not a file", "--sysroot reads an unpacked capture of /sys and /proc");
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return errno_error(file, errno);
  return read_bytes(plugins, fd.get());
}

Result<Topology> import_file(const Plugins& plugins, const std::string& file, const Sight& sight) {
  const std::string name = file == "-" ? "standard input" : file;
  auto bytes = read_input(plugins, file);
  if (!bytes && bytes.error().code == ErrorCode::kTooLarge)
    return refused(fmt::format("{}: over {} MiB", name, kMaxInput >> 20),
                   "no machine takes that much to describe");
  if (!bytes && bytes.error().code == ErrorCode::kDataRefused)
    return std::move(bytes).error().within(name);
  if (!bytes) return std::move(bytes).error();
  auto topology = import_topology(plugins, *bytes, sight);
  if (!topology) return std::move(topology).error().within(name);
  if (topology->origin.input.empty())
    topology->origin.input = file;  // a dump of ours tells its own
  topology->origin.live = false;
  return topology;
}

Result<Topology> synthesise(const Plugins& plugins, const std::string& description) {
  for (const auto& row : plugins.topology.rows()) {
    auto made = row.make()->synthesise(description);
    if (!made) return std::move(made).error();
    if (!*made) continue;
    (*made)->origin = {row.name, description, false};
    return *std::move(*made);
  }
  return Error{ErrorCode::kUnsupported, "nothing here makes machines from descriptions", ""};
}

Result<Topology> look(const Plugins& plugins, const Sight& sight) {
  std::error_code ignored;
  if (!fs::is_directory(sight.sysroot, ignored))
    return Error{ErrorCode::kNotFound, fmt::format("no folder {}", sight.sysroot.string()),
                 "--sysroot takes an unpacked capture; --input takes files"};
  Topology topology;
  topology.origin.live = sight.sysroot == "/";
  if (!topology.origin.live) topology.origin.input = sight.sysroot.string();
  for (const auto& row : plugins.topology.rows()) {
    auto looked = row.make()->look(sight, topology);
    if (!looked) return std::move(looked).error();
    if (topology.origin.source.empty() && !topology.objects.empty())
      topology.origin.source = row.name;
  }
  return topology;
}

/// One machine is asked for, and by something: an empty variable in a script is not this machine.
Result<void> check_sole(const TopologyInput& input) {
  std::string_view first;
  for (const auto& [flag, value] :
       {std::pair("--input", &input.file), std::pair("--sysroot", &input.sysroot),
        std::pair("--synthetic", &input.synthetic)}) {
    if (!*value) continue;
    if ((*value)->empty())
      return Error{ErrorCode::kInvalidArgument, fmt::format("{} is empty", flag),
                   "leave it out to look at this machine"};
    if (!first.empty())
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("{} and {} name two machines", first, flag), "name one"};
    first = flag;
  }
  return {};
}

}  // namespace

Result<Topology> import_topology(const Plugins& plugins, std::string_view bytes,
                                 const Sight& sight) {
  if (bytes.empty()) return refused("empty", known_formats(plugins));
  for (const auto& row : plugins.topology.rows()) {
    const auto source = row.make();
    if (!source->recognises(bytes.substr(0, kStart))) continue;
    auto topology = source->import(bytes, sight);
    if (topology && topology->origin.source.empty()) topology->origin.source = row.name;
    return topology;
  }
  return refused("of no format that is known here", known_formats(plugins));
}

Result<Topology> read_topology(const Plugins& plugins, const TopologyInput& input) {
  if (auto sole = check_sole(input); !sole) return std::move(sole).error();
  Sight sight;
  if (input.sysroot) sight.sysroot = *input.sysroot;
  sight.whole_io = input.whole_io;
  sight.disallowed = input.disallowed;
  sight.nvml = input.nvml;
  auto topology = input.synthetic ? synthesise(plugins, *input.synthetic)
                  : input.file    ? import_file(plugins, *input.file, sight)
                                  : look(plugins, sight);
  if (topology) topology::finish(*topology);
  return topology;
}

}  // namespace aictl
