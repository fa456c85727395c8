#include "tests/unit/plugins/renderers/spec_plan.hpp"

#include <doctest/doctest.h>

#include "core/placement/model/families.hpp"
#include "core/platform/plan/machine.hpp"
#include "core/platform/plan/planner.hpp"
#include "core/platform/spec/read.hpp"
#include "tests/unit/plugins/renderers/written.hpp"

namespace aictl::test {

using namespace aictl::platform;

PlatformPlan planned(std::string_view spec) {
  auto read = read_platform(spec, "aictl.yaml");
  REQUIRE_MESSAGE(read.ok(), (read.ok() ? "" : read.error().message));
  PlanInputs inputs;
  inputs.inspect = [](const ModelEntry& m) {
    return placement::known_shape(m.shape.empty() ? m.source : m.shape,
                                  m.quantisation.empty() ? "BF16" : m.quantisation);
  };
  std::vector<NodePool> pools = read->placement.pools;
  if (pools.empty()) {
    pools.emplace_back();
    pools.back().name = "default", pools.back().cpus = 8, pools.back().memory = uint64_t{16} << 30;
  }
  for (const NodePool& pool : pools) {
    auto machine = described_machine(pool);
    REQUIRE(machine.ok());
    inputs.pools.push_back(
        {pool.name, pool.selector, pool.nodes, *machine, machine_words(*machine)});
  }
  auto plan = plan_platform(*std::move(read), inputs);
  REQUIRE_MESSAGE(plan.ok(), (plan.ok() ? "" : plan.error().message));
  return *std::move(plan);
}

std::vector<std::string> cluster_targets() {
  std::vector<std::string> names;
  for (const auto& row : renderers().renderers.rows())
    if (row.name != "compose" && row.name != "quadlet" && row.name != "systemd")
      names.push_back(row.name);
  return names;
}

Generated written_of(const PlatformPlan& plan, const std::vector<std::string>& targets,
                     Trace* trace) {
  auto generated = generate(plan, renderers().renderers, {targets, "", "0.1.0", trace});
  REQUIRE_MESSAGE(generated.ok(), (generated.ok() ? "" : generated.error().message));
  return *std::move(generated);
}

}  // namespace aictl::test
