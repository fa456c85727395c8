// The command tree. A command is a file here with one function, declared below and called in
// root.cpp.
#pragma once

#include "cmd/app.hpp"
#include "core/cli/command.hpp"

namespace aictl {

/// The whole tree. `app` must outlive it.
cli::Command root_command(App& app);

cli::Command bench_command(App& app);
cli::Command chat_command(App& app);
cli::Command completion_command(App& app);
cli::Command config_command(App& app);
cli::Command diff_command(App& app);
cli::Command doctor_command(App& app);
cli::Command down_command(App& app);
cli::Command generate_command(App& app);
cli::Command help_command(App& app);
cli::Command import_command(App& app);
cli::Command init_command(App& app);
cli::Command logs_command(App& app);
cli::Command man_command(App& app);
cli::Command model_command(App& app);
cli::Command plan_command(App& app);
cli::Command plugin_command(App& app);
cli::Command ps_command(App& app);
cli::Command render_command(App& app);
cli::Command run_command(App& app);
cli::Command serve_command(App& app);
cli::Command tokenize_command(App& app);
cli::Command topo_command(App& app);
cli::Command up_command(App& app);
cli::Command validate_command(App& app);
cli::Command verify_command(App& app);
cli::Command version_command(App& app);

/// What --version prints.
std::string_view version();
/// The commit this binary was built from.
std::string_view commit();

}  // namespace aictl
