// TopologySource: who can see a part of a machine, or read a dump of one.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/topology/topology.hpp"

namespace aictl {

struct Plugins;

/// Which machine to look at.
struct Sight {
  std::filesystem::path sysroot = "/";  // "/" is this machine; else an unpacked capture
  bool whole_io = false;                // also bridges and devices of no importance
  bool disallowed = false;              // also what the cpuset keeps from us
  std::string nvml;                     // path of libnvidia-ml; empty: the usual places
};

/// An extension point: plugins/topology/<name>.
class TopologySource {
 public:
  virtual ~TopologySource() = default;

  /// Adds what it sees of a running machine (or a captured root) to `topology`: facts already there
  /// stay unless this source knows better. Does nothing for what it cannot see; what is worth
  /// knowing becomes a warning. Errors: only when the machine cannot be read at all.
  virtual Result<void> look(const Sight&, Topology&) const { return {}; }

  /// Whether `bytes`, the start of a file, are of a format it reads.
  virtual bool recognises(std::string_view /*bytes*/) const { return false; }
  /// Reads a dump. `bytes` is the whole file and may be anything. Errors: kDataRefused saying what
  /// and where, in bounded time and memory.
  virtual Result<Topology> import(std::string_view /*bytes*/, const Sight&) const {
    return Error{ErrorCode::kUnsupported, "this source reads no files", ""};
  }
  /// What import() reads, for people: "hwloc XML". Empty: nothing.
  virtual std::string_view imports() const { return ""; }

  /// Makes a machine from a description in words ("numa:2 core:8 pu:2"); nullopt when it knows no
  /// such language. Errors: kInvalidArgument.
  virtual Result<std::optional<Topology>> synthesise(const std::string& /*description*/) const {
    return std::optional<Topology>();
  }
};

using TopologySourceFactory = std::function<std::unique_ptr<TopologySource>()>;

/// Where `aictl topo|plan|doctor` take a machine from; at most one of the three is set.
struct TopologyInput {
  std::optional<std::string> file;       // --input; "-" is standard input
  std::optional<std::string> sysroot;    // --sysroot
  std::optional<std::string> synthetic;  // --synthetic
  bool whole_io = false, disallowed = false;
  std::string nvml;
};

/// Reads a dump with the source that recognises it, and no further: devices are not joined, links
/// not derived. Errors: kDataRefused saying what is wrong and where.
Result<Topology> import_topology(const Plugins& plugins, std::string_view bytes,
                                 const Sight& sight = {});

/// Reads a machine: asks the sources in their order, joins devices, derives links. Errors:
/// kNotFound, kIo; kInvalidArgument for a description; kDataRefused naming the file, what is wrong
/// and where. With `sysroot` no other thread may run meanwhile.
Result<Topology> read_topology(const Plugins& plugins, const TopologyInput& input);

}  // namespace aictl
