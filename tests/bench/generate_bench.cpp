// How long it takes to write the `ha` platform for every system of a cluster, from the spec's text
// to the files (goal: 300 ms). Prints, never fails.
#include <algorithm>
#include <chrono>
#include <ctime>

#include <fmt/format.h>

#include "core/placement/model/families.hpp"
#include "core/platform/generate/layout/layout.hpp"
#include "core/platform/plan/machine.hpp"
#include "core/platform/plan/planner.hpp"
#include "core/platform/spec/read.hpp"
#include "core/platform/spec/templates.hpp"
#include "plugins/renderers/cluster/cluster.hpp"

using namespace aictl;
using namespace aictl::platform;

namespace {

constexpr int kRounds = 9;
constexpr double kGoalMs = 300;

struct Times {
  double plan = 0, generate = 0, write = 0;
  double all() const { return plan + generate + write; }
};

double ms_since(std::chrono::steady_clock::time_point& start) {
  const auto now = std::chrono::steady_clock::now();
  return std::chrono::duration<double, std::milli>(now - std::exchange(start, now)).count();
}

Result<PlatformPlan> planned(std::string_view text) {
  auto read = read_platform(text, "aictl.yaml");
  if (!read) return std::move(read).error();
  PlanInputs inputs;
  inputs.inspect = [](const ModelEntry& m) { return placement::known_shape(m.shape, "BF16"); };
  for (const NodePool& pool : read->placement.pools) {
    auto machine = described_machine(pool);
    if (!machine) return std::move(machine).error();
    inputs.pools.push_back(
        {pool.name, pool.selector, pool.nodes, *machine, machine_words(*machine)});
  }
  return plan_platform(*std::move(read), inputs);
}

Result<Times> once(std::string_view text, const Plugins& plugins,
                   const std::vector<std::string>& targets, size_t& objects, size_t& bytes) {
  Times times;
  auto start = std::chrono::steady_clock::now();
  auto plan = planned(text);
  if (!plan) return std::move(plan).error();
  times.plan = ms_since(start);
  auto generated = generate(*plan, plugins.renderers, {targets, "", "0.1.0"});
  if (!generated) return std::move(generated).error();
  times.generate = ms_since(start);
  LayoutOptions options;
  options.layout = Layout::kDirectory;
  bytes = 0;
  for (const RenderedFile& file : lay_out(plan->platform, *generated, options))
    bytes += file.content.size();
  times.write = ms_since(start);
  objects = generated->objects.size();
  return times;
}

}  // namespace

int main() {
  const auto spec = find_spec_template("ha");
  Plugins plugins;
  add_cluster_renderers(plugins);
  std::vector<std::string> targets;
  for (const auto& row : plugins.renderers.rows()) targets.push_back(row.name);
  std::vector<Times> rounds;
  size_t objects = 0, bytes = 0;
  const std::clock_t before = std::clock();
  for (int i = 0; i < kRounds; ++i) {
    auto times = once(spec->text, plugins, targets, objects, bytes);
    if (!times) return fmt::print(stderr, "{}\n", times.error().message), 1;
    rounds.push_back(*times);
  }
  // Of the processor's time others take nothing, where a machine is busy.
  const double busy = 1e3 * double(std::clock() - before) / CLOCKS_PER_SEC / kRounds;
  std::ranges::sort(rounds, {}, &Times::all);
  const Times& median = rounds[kRounds / 2];
  fmt::print(
      "ha for {} targets: {} objects, {} kB: plan {:.1f} ms, render {:.1f} ms, write {:.1f} ms; "
      "{:.1f} ms of {:.0f} ms allowed ({:.2f}), {:.1f} ms of a core\n",
      targets.size(), objects, bytes / 1000, median.plan, median.generate, median.write,
      median.all(), kGoalMs, median.all() / kGoalMs, busy);
  return 0;
}
