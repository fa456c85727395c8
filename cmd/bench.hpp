// The commands below `aictl bench`, and what they share.
#pragma once

#include "cmd/app.hpp"
#include "core/cli/command.hpp"
#include "core/cli/context.hpp"

namespace aictl {

cli::Command bench_model_command(App& app);
cli::Command bench_ceilings_command(App& app);
cli::Command bench_serve_command(App& app);
cli::Command bench_report_command();
cli::Command bench_compare_command();

/// What a measurement of this machine is made on: {machine{}, client{version, commit, command}}.
Json bench_fingerprint(App& app);

/// Prints a tree of numbers, one below another.
void print_numbers(cli::Context& context, const Json& report);

}  // namespace aictl
