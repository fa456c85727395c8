// How long planning takes: five models on 16 GPUs (goal: 1 s), one on 1000 hosts of 8 (goal: 2 s).
// Prints, never fails: a busy machine is no mistake of the planner.
#include <chrono>
#include <vector>

#include <fmt/format.h>

#include "core/placement/model/families.hpp"
#include "core/placement/plan/planner.hpp"

using namespace aictl;
using namespace aictl::placement;

namespace {

// `gpus` over two sockets; pairs inside a socket by `near`, between them by `far`.
Topology machine_of(int gpus, topology::Level near, topology::Level far, int host) {
  Topology machine;
  machine.hostname = fmt::format("host{}", host);
  for (int i = 0; i < gpus; ++i) {
    topology::Gpu gpu;
    gpu.index = i;
    gpu.model = "NVIDIA A100-SXM4-80GB";
    gpu.uuid = fmt::format("GPU-{:04}-{:02}", host, i);
    gpu.nodeset.set(i * 2 / gpus);
    machine.gpus.push_back(gpu);
    for (int j = 0; j < i; ++j) {
      topology::Link link;
      link.a = fmt::format("gpu{}", j);
      link.b = fmt::format("gpu{}", i);
      link.level = j * 2 / gpus == i * 2 / gpus ? near : far;
      link.count = link.level == topology::Level::kNv ? 12 : 0;
      machine.links.push_back(link);
    }
  }
  return machine;
}

PlanRequest request_for(std::vector<const char*> models) {
  PlanRequest request;
  for (const char* model : models) request.models.push_back(*known_shape(model, "BF16"));
  return request;
}

void report(const char* what, std::vector<Machine> machines, const PlanRequest& request) {
  const auto start = std::chrono::steady_clock::now();
  const auto plan = make_plan(machines, request);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  fmt::print("{:<44} {:8.3f} s  {}\n", what, took.count(),
             plan.ok() && plan->placed() ? "placed" : "not placed");
}

}  // namespace

int main() {
  using topology::Level;
  const PlanRequest five = request_for(
      {"llama:70b:fp8", "qwen2.5:32b:fp8", "gemma3:27b:fp8", "llama:8b:bf16", "mixtral:8x7b:fp8"});
  const Topology switched = machine_of(16, Level::kNv, Level::kNv, 0);
  const Topology islands = machine_of(16, Level::kPix, Level::kSys, 0);
  Topology uneven = machine_of(16, Level::kPix, Level::kSys, 0);
  for (size_t i = 0; i < uneven.links.size(); i += 3) uneven.links[i].level = Level::kNode;
  report("16 GPUs, all over NVSwitch, 5 models", {{&switched, 1}}, five);
  report("16 GPUs in two islands, 5 models", {{&islands, 1}}, five);
  report("16 GPUs without symmetry, 5 models", {{&uneven, 1}}, five);
  std::vector<Topology> hosts;
  for (int i = 0; i < 1000; ++i) hosts.push_back(machine_of(8, Level::kNv, Level::kNv, i));
  std::vector<Machine> machines;
  for (const Topology& host : hosts) machines.push_back({&host, 1});
  PlanRequest one = request_for({"llama:70b:bf16"});
  one.concurrency = 16000;
  report("1000 hosts of 8 GPUs, 1 model", machines, one);
  for (int i = 0; i < 1000; i += 10)
    hosts[size_t(i)].links[size_t(i / 10 % 28)].level = Level::kPhb;
  report("1000 hosts of 8 GPUs, every tenth another", machines, one);
}
