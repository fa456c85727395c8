// Which platform `ps`, `logs` and `down` are about.
#pragma once

#include <string>
#include <vector>

#include "core/cli/context.hpp"
#include "core/config/schema.hpp"
#include "core/platform/run/state/state_folder.hpp"

namespace aictl {

struct StandingFlags {
  std::string file, state;
};

/// The rows --file and --state. `letter`: also -f, where that means nothing else.
std::vector<Row> standing_rows(StandingFlags& flags, bool letter);

/// The state folder of the platform that was named by flags or is that of ./aictl.yaml; without
/// either, the only one that is up. Errors: kNotFound with those there are.
Result<platform::StateFolder> find_standing(const StandingFlags& flags, cli::Context& context);

}  // namespace aictl
