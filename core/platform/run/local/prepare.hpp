// From a planned platform to processes of this machine: ports, paths, programs and secrets found,
// every word spelled.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/config/layers.hpp"
#include "core/platform/run/local/launch.hpp"
#include "core/platform/run/local/port_choice.hpp"
#include "core/platform/run/state/state_folder.hpp"

namespace aictl::platform {

/// What preparing asks of the machine; tests have their own.
struct LocalMachine {
  PortTable ports;
  Environment environment;
  std::string own_program;  // what a word "aictl" at the start of a command line is
  /// The first file of a model of the spec. Errors: as resolve_model.
  std::function<Result<std::filesystem::path>(std::string_view source)> model_file;
  std::filesystem::path secrets;  // SECRET/KEY below it is a file with the value
};

struct LocalRequest {
  std::string platform, file, digest;  // of the spec
  const std::vector<Workload>& workloads;
  std::vector<std::string> names;     // only these and what they need; empty: all
  std::vector<std::string> services;  // that this program has
  PortChoice ports;
  bool dry_run = false;  // nothing is started: what cannot run is told and no error
};

/// A file, folder or link that has to be there before the processes start.
struct Fixture {
  enum class Kind : uint8_t { kFolder, kFile, kLink } kind;
  std::filesystem::path path;
  std::string content;  // of a file; the target of a link
};

struct Preparation {
  LocalPlan plan;
  std::vector<Fixture> fixtures;
};

/// Touches nothing. Errors: as choose_workloads and choose_ports; kNotFound for a program, a model
/// or a secret that is not there.
Result<Preparation> prepare(const LocalRequest& request, const LocalMachine& machine,
                            const StateFolder& folder);

/// Makes them. Errors: kIo.
Result<void> make_fixtures(const std::vector<Fixture>& fixtures);

}  // namespace aictl::platform
