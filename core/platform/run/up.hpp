// up: a planned platform brought up on this machine, in front or in the background.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/cli/context.hpp"
#include "core/platform/run/local/prepare.hpp"

namespace aictl::platform {

struct UpOptions {
  std::string state;    // the folder for state; empty: NAME below state_root()
  std::string secrets;  // the folder of secrets; empty: aictl/secrets below the configuration's
  bool detach = false, dry_run = false;
  uint64_t log_size = uint64_t{16} << 20;
  int attempts = 8;
};

/// The machine as it is. `model_file` finds models.
LocalMachine this_machine(
    const Environment& environment, const std::string& secrets,
    std::function<Result<std::filesystem::path>(std::string_view)> model_file);

/// Brings it up and stays until it is told to stop; with `detach` until all is ready; with
/// `dry_run` only prints what would run. Prints to `context`. Returns the exit status. Errors: as
/// StateFolder::lock, prepare, keep and Supervisor::run.
Result<int> up(const LocalRequest& request, const UpOptions& options, const LocalMachine& machine,
               cli::Context& context);

}  // namespace aictl::platform
