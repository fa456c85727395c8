// What the commands below `aictl topo` share: where the machine is read from.
#pragma once

#include <memory>

#include "cmd/app.hpp"
#include "core/cli/command.hpp"
#include "core/plugin/topology_source.hpp"

namespace aictl {

/// --input, --sysroot, --synthetic and what else says which machine; `input` outlives the rows.
Schema machine_flags(TopologyInput& input);

/// `aictl topo matrix|explain|diff` and `calc|exec`; they share `input` with `topo` itself, so that
/// its flags may stand before or after the verb.
cli::Command topo_matrix_command(App& app, std::shared_ptr<TopologyInput> input);
cli::Command topo_explain_command(App& app, std::shared_ptr<TopologyInput> input);
cli::Command topo_diff_command(App& app);
cli::Command topo_calc_command(App& app, std::shared_ptr<TopologyInput> input);
cli::Command topo_exec_command(App& app, std::shared_ptr<TopologyInput> input);

}  // namespace aictl
