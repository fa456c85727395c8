// The planner as a whole: objective, cores, failures, many hosts, determinism.
#include "core/placement/plan/planner.hpp"

#include <algorithm>
#include <sstream>

#include <doctest/doctest.h>

#include "core/placement/model/families.hpp"
#include "core/placement/plan/options.hpp"
#include "core/placement/report/json.hpp"
#include "core/placement/report/text.hpp"
#include "core/placement/search/objective.hpp"
#include "tests/unit/core/placement/machines.hpp"

using namespace aictl;
using namespace aictl::placement;

namespace {

PlanRequest request_for(std::vector<const char*> models) {
  PlanRequest request;
  for (const char* model : models) request.models.push_back(*known_shape(model, "BF16"));
  return request;
}

Plan plan_of(const Topology& machine, const PlanRequest& request, int hosts = 1) {
  const Machine one{&machine, hosts};
  auto plan = make_plan({&one, 1}, request);
  REQUIRE(plan.ok());
  return *plan;
}

}  // namespace

TEST_CASE("planner: 70B Q4 on eight RTX 4090s becomes two replicas of one island each") {
  PlanRequest request = request_for({"llama:70b:q4_k_m"});
  request.context = 4096;
  const Plan plan = plan_of(two_islands("RTX 4090"), request);
  REQUIRE(plan.placed());
  const ModelPlan& model = plan.hosts[0].models[0];
  CHECK_EQ(model.chosen->cut, Cut{4, 1});
  CHECK_EQ(model.chosen->replicas, 2);
  CHECK_EQ(model.replicas[0].gpus, std::vector<int>{0, 1, 2, 3});
  CHECK_EQ(model.replicas[1].gpus, std::vector<int>{4, 5, 6, 7});
  const auto across = std::ranges::find(model.rejected, "tp=8 x1 Q4_K_M", &Rejected::option);
  REQUIRE(across != model.rejected.end());
  CHECK_EQ(across->term, "goodput");
  const auto single = std::ranges::find(model.rejected, "tp=1 x8 Q4_K_M", &Rejected::option);
  REQUIRE(single != model.rejected.end());
  CHECK_EQ(single->term, "memory");
}

TEST_CASE("planner: an SLO comes before goodput") {
  // Many short sequences: single GPUs answer most tokens, but take longest over a prompt.
  PlanRequest request = request_for({"llama:8b:q8_0"});
  request.context = request.prompt = 512;
  request.concurrency = 512;
  const Topology machine = two_islands("RTX 4090");
  const Option most = *plan_of(machine, request).hosts[0].models[0].chosen;
  Host host(machine, request.devices, 1);
  const Options options = gpu_options(host, request, request.models[0], 8, request.concurrency);
  const Option& quickest = *std::ranges::min_element(options.fitting, {}, &Option::ttft);
  REQUIRE_LT(quickest.ttft(), most.ttft());
  REQUIRE_LT(quickest.goodput, most.goodput);
  request.slo.ttft = quickest.ttft() * 1.001;
  const ModelPlan fast = plan_of(machine, request).hosts[0].models[0];
  CHECK(fast.chosen->slo_met);
  CHECK_LT(fast.chosen->goodput, most.goodput);
  const auto lost = std::ranges::find(fast.rejected, most.words(), &Rejected::option);
  REQUIRE(lost != fast.rejected.end());
  CHECK_EQ(lost->term, "slo");
}

TEST_CASE("planner: what is chosen beats every option that fits, term by term") {
  for (const char* model : {"llama:8b:q8_0", "llama:70b:q4_k_m", "mixtral:8x7b:q4_k_m"}) {
    const Topology machine = two_islands("RTX 4090");
    PlanRequest request = request_for({model});
    request.concurrency = 6;
    Host host(machine, request.devices, 1);
    const Options options = gpu_options(host, request, request.models[0], 8, 6);
    REQUIRE_FALSE(options.fitting.empty());
    const Option& best = options.fitting[best_of(options.fitting, std::nullopt)];
    for (const Option& other : options.fitting) CHECK_LE(compare(best, other).order, 0);
    CHECK_EQ(plan_of(machine, request).hosts[0].models[0].chosen->words(), best.words());
  }
}

TEST_CASE("planner: fewer GPUs win where more bring nothing") {
  PlanRequest request = request_for({"llama:8b:bf16"});
  request.concurrency = 1;
  const Option option = *plan_of(switched("V100"), request).hosts[0].models[0].chosen;
  CHECK_EQ(option.replicas, 1);  // one sequence cannot use a second replica
}

TEST_CASE("planner: weights turn the order into a sum") {
  PlanRequest request = request_for({"llama:8b:q4_k_m"});
  const Topology machine = switched("V100");
  const int most = plan_of(machine, request).hosts[0].models[0].chosen->devices_used();
  request.weights = TermWeights{0, 0, 1, 0, 0, 0, 0, 0};  // GPUs alone
  const ModelPlan frugal = plan_of(machine, request).hosts[0].models[0];
  CHECK_EQ(frugal.chosen->devices_used(), 1);
  CHECK_GT(most, 1);
  CHECK_EQ(frugal.rejected.front().term, "weights");
}

TEST_CASE("planner: several models share a host; no GPU and no core is given twice") {
  PlanRequest request = request_for({"llama:70b:q4_k_m", "llama:8b:q8_0", "qwen2.5:7b:q8_0",
                                     "gemma3:27b:q4_k_m", "mixtral:8x7b:q4_k_m"});
  const Plan plan = plan_of(switched("V100"), request);
  CHECK(plan.placed());
  GpuMask taken = 0;
  topology::Bitset cpus;
  for (const ModelPlan& model : plan.hosts[0].models)
    for (const Replica& replica : model.replicas) {
      CHECK_EQ(taken & mask_of(replica.gpus), 0);
      taken |= mask_of(replica.gpus);
      CHECK_FALSE(cpus.intersects(replica.cpus));
      cpus = cpus | replica.cpus;
      CHECK_EQ(replica.uuids[0].substr(0, 4), "GPU-");
    }
}

TEST_CASE("planner: replicas get whole cores of the node near their GPUs") {
  PlanRequest request = request_for({"llama:70b:q4_k_m"});
  request.context = 4096;
  const Plan plan = plan_of(two_islands("RTX 4090"), request);
  const auto& replicas = plan.hosts[0].models[0].replicas;
  REQUIRE_EQ(replicas.size(), 2);
  CHECK_EQ(replicas[0].cpus.list(), "0-4,32-36");  // 4 processes and 1 for HTTP, with siblings
  CHECK_EQ(replicas[0].nodes.list(), "0");
  CHECK_EQ(replicas[1].cpus.list(), "16-20,48-52");
  CHECK_EQ(replicas[1].nodes.list(), "1");
}

TEST_CASE("planner: a group over two nodes has a core near each of its GPUs, and one for HTTP") {
  PlanRequest request = request_for({"llama:70b:bf16"});
  request.tp = 4;
  const Topology four =
      gpu_machine(4, "A100-SXM4-80GB", 2, [](int a, int b) { return link_of(a, b, "NV12"); });
  const auto replicas = plan_of(four, request).hosts[0].models[0].replicas;
  REQUIRE_EQ(replicas.size(), 1);
  CHECK_EQ(replicas[0].cpus.list(), "0-2,16-17,32-34,48-49");
  CHECK_EQ(replicas[0].nodes.list(), "0-1");
  CHECK_EQ(replicas[0].cores, 5);
}

TEST_CASE("planner: HTTP goes where most of a group's GPUs are") {
  Topology machine =
      gpu_machine(4, "A100-SXM4-80GB", 2, [](int a, int b) { return link_of(a, b, "NV12"); });
  machine.gpus[1].cpuset = machine.gpus[2].cpuset;  // one on node 0, three on node 1
  machine.gpus[1].nodeset = machine.gpus[2].nodeset;
  PlanRequest request = request_for({"llama:70b:bf16"});
  request.tp = 4;
  const Replica replica = plan_of(machine, request).hosts[0].models[0].replicas[0];
  CHECK_EQ(replica.cpus.list(), "0,16-19,32,48-51");
}

TEST_CASE("planner: where cores are few, each GPU's process gets one before HTTP does") {
  Topology machine =
      gpu_machine(4, "A100-SXM4-80GB", 1, [](int a, int b) { return link_of(a, b, "NODE"); });
  machine.allowed_cpuset = *topology::Bitset::parse_list("0-5");  // the sixth is the system's
  PlanRequest request = request_for({"llama:8b:bf16"});
  request.tp = 1;
  const auto replicas = plan_of(machine, request).hosts[0].models[0].replicas;
  REQUIRE_EQ(replicas.size(), 4);
  topology::Bitset all;
  for (const Replica& replica : replicas) {
    CHECK_GE(replica.cores, 1);
    CHECK_FALSE(all.intersects(replica.cpus));
    all = all | replica.cpus;
  }
  machine.allowed_cpuset = *topology::Bitset::parse_list("0-1");
  const Plan crowded = plan_of(machine, request);
  for (const Replica& replica : crowded.hosts[0].models[0].replicas)
    CHECK_FALSE(replica.cpus.empty());  // those that come too late share
}

TEST_CASE("planner: ranks stay in one socket unless an SLO needs the other one") {
  PlanRequest request = request_for({"llama:70b:q4_k_m"});
  request.context = 4096;
  request.concurrency = 1;  // a second replica would idle
  const Topology machine = two_islands("RTX 4090");
  const ModelPlan inside = plan_of(machine, request).hosts[0].models[0];
  CHECK_EQ(inside.chosen->cut, Cut{4, 1});
  const auto across = std::ranges::find(inside.rejected, "tp=8 x1 Q4_K_M", &Rejected::option);
  REQUIRE(across != inside.rejected.end());
  CHECK_EQ(across->term, "sockets");
  CHECK(across->why.find("no SLO needs it") != std::string::npos);
  request.slo.tpot = inside.chosen->tpot() * 0.9;
  const ModelPlan needed = plan_of(machine, request).hosts[0].models[0];
  CHECK_EQ(needed.chosen->cut, Cut{8, 1});
  CHECK(needed.chosen->slo_met);
  request.slo.tpot = inside.chosen->tpot() * 1.1;
  const ModelPlan met = plan_of(machine, request).hosts[0].models[0];
  CHECK_EQ(met.chosen->cut, Cut{4, 1});
  const auto spare = std::ranges::find(met.rejected, "tp=8 x1 Q4_K_M", &Rejected::option);
  REQUIRE(spare != met.rejected.end());
  CHECK(spare->why.ends_with(", and tp=4 meets the SLO as it is"));
}

TEST_CASE("planner: where nothing meets the SLO, goodput decides, over sockets too") {
  PlanRequest request = request_for({"llama:70b:q4_k_m"});
  request.context = 4096;
  request.concurrency = 1;
  request.slo.tpot = 1e-6;
  const ModelPlan model = plan_of(two_islands("RTX 4090"), request).hosts[0].models[0];
  CHECK_EQ(model.chosen->cut, Cut{8, 1});
  CHECK_FALSE(model.chosen->slo_met);
  CHECK_EQ(std::ranges::count(model.rejected, "sockets", &Rejected::term), 0);
  const auto inside = std::ranges::find(model.rejected, "tp=4 x1 Q4_K_M", &Rejected::option);
  REQUIRE(inside != model.rejected.end());
  CHECK_EQ(inside->term, "goodput");
}

TEST_CASE("planner: of equal groups the one beside the weights' disk, unless memory has them") {
  Topology machine = two_islands("A100-SXM4-80GB");
  topology::Disk disk;
  disk.name = "nvme1n1";
  disk.kind = "nvme";
  disk.nodeset.set(1);
  machine.disks.push_back(disk);
  PlanRequest request = request_for({"llama:70b:bf16"});
  request.tp = 4;
  request.concurrency = 1;
  const ModelPlan near = plan_of(machine, request).hosts[0].models[0];
  CHECK_EQ(near.replicas[0].gpus, std::vector<int>{4, 5, 6, 7});
  CHECK_EQ(near.loading.source.name, "nvme1n1");
  CHECK_FALSE(near.loading.source.known);
  CHECK_FALSE(near.loading.far);
  request.models[0].storage = Storage{request.models[0].weight_bytes, 0, "ext4", "sda", 0};
  CHECK_EQ(plan_of(machine, request).hosts[0].models[0].replicas[0].gpus[0], 0);
  request.models[0].storage = Storage{1000, 1000, "ext4", "nvme1n1", 1};
  const ModelPlan cached = plan_of(machine, request).hosts[0].models[0];
  CHECK_EQ(cached.replicas[0].gpus[0], 0);
  CHECK(cached.loading.source.in_memory);
}

TEST_CASE("planner: a machine without GPUs gets a replica a memory node, with its cores") {
  PlanRequest request = request_for({"llama:8b:q4_k_m"});
  const Plan plan = plan_of(cpu_machine(2, 8, uint64_t{64} << 30), request);
  REQUIRE(plan.placed());
  const ModelPlan& model = plan.hosts[0].models[0];
  CHECK(model.chosen->cpu);
  REQUIRE_EQ(model.replicas.size(), 2);
  CHECK_EQ(model.replicas[0].nodes.list(), "0");
  CHECK_EQ(model.replicas[0].cpus.list(), "0-7,16-23");
  CHECK_EQ(model.replicas[1].cpus.list(), "8-14,24-30");  // one core is the system's
}

TEST_CASE("planner: layers are split over memory nodes where one is too small") {
  PlanRequest request = request_for({"llama:70b:q4_k_m"});
  request.context = 2048;
  request.concurrency = 1;
  const Plan plan = plan_of(cpu_machine(2, 8, uint64_t{32} << 30), request);
  REQUIRE(plan.placed());
  CHECK_EQ(plan.hosts[0].models[0].chosen->cut, Cut{1, 2});
  CHECK_EQ(plan.hosts[0].models[0].replicas[0].nodes.list(), "0-1");
}

TEST_CASE("planner: a model no host holds spans hosts; one nothing holds is told with numbers") {
  PlanRequest request = request_for({"llama:405b:bf16"});
  const Topology machine =
      gpu_machine(8, "H100", 2, [](int a, int b) { return link_of(a, b, "NV18"); });
  const Plan spanning = plan_of(machine, request, 4);
  REQUIRE(spanning.placed());
  CHECK_EQ(spanning.hosts[0].models[0].chosen->span, 2);
  const Plan none = plan_of(two_islands("RTX 4090"), request);
  CHECK_FALSE(none.placed());
  CHECK(none.hosts[0].models[0].verdict.find("usable") != std::string::npos);
}

TEST_CASE("planner: a model that nothing holds has the arithmetic of what comes nearest") {
  const PlanRequest request = request_for({"llama:405b:bf16"});
  const Plan plan = plan_of(two_islands("RTX 4090"), request);
  const ModelPlan& model = plan.hosts[0].models[0];
  REQUIRE(model.nearest.has_value());
  CHECK_FALSE(model.nearest->fits);
  CHECK_GT(model.nearest->need(), model.nearest->usable);
  const auto same = std::ranges::find_if(model.rejected, [&](const Rejected& one) {
    return model.verdict == one.option + ": " + one.why;
  });
  REQUIRE(same != model.rejected.end());
  CHECK_EQ(same->fit->need(), model.nearest->need());
  std::ostringstream text, brief;
  print(plan, request, true, text);
  print(plan, request, false, brief);
  for (const char* term : {"weights ", "kv cache ", "activations ", "fixed ", "need "})
    CHECK_MESSAGE(text.str().find(std::string("\n    ") + term) != std::string::npos, term);
  CHECK(brief.str().find("kv cache") == std::string::npos);
  const Json tree = to_json(plan, request, false)["hosts"][0]["models"][0];
  CHECK_FALSE(tree["placed"].get<bool>());
  CHECK_EQ(tree["memory"]["arithmetic"].size(), 5);
  CHECK_GT(tree["memory"]["need_bytes"].get<double>(),
           tree["memory"]["usable_bytes"].get<double>());
  Topology empty;
  CHECK_FALSE(
      to_json(plan_of(empty, request), request, true)["hosts"][0]["models"][0].contains("memory"));
}

TEST_CASE("planner: ranks that the model's heads forbid are told so") {
  PlanRequest request = request_for({"llama:8b:q4_k_m"});
  request.tp = 3;
  const Plan plan = plan_of(two_islands("RTX 4090"), request);
  CHECK_FALSE(plan.placed());
  CHECK_EQ(plan.hosts[0].models[0].verdict, "tp=3 x1 Q4_K_M: 32 heads are not a multiple of 3");
}

TEST_CASE("planner: lost GPUs and GPUs in MIG mode are left out and named") {
  Topology machine = two_islands("RTX 4090");
  machine.gpus[0].lost = "GPU is lost";
  machine.gpus[5].mig_enabled = true;
  const Plan plan = plan_of(machine, request_for({"llama:8b:q8_0"}));
  for (const Replica& replica : plan.hosts[0].models[0].replicas)
    for (int gpu : replica.gpus) CHECK((gpu != 0 && gpu != 5));
  REQUIRE_GE(plan.hosts[0].notes.size(), 2);
  CHECK_EQ(plan.hosts[0].notes[0], "gpu0 is left out: GPU is lost");
}

TEST_CASE("planner: a loss stops what stands on it; a free GPU takes one rank over") {
  PlanRequest request = request_for({"llama:70b:q4_k_m"});
  request.context = 4096;
  request.tp = 4;
  const Topology six =
      gpu_machine(6, "RTX 4090", 1, [](int a, int b) { return link_of(a, b, "NODE"); });
  const HostPlan host = plan_of(six, request).hosts[0];
  CHECK_EQ(host.free_gpus, std::vector<int>{4, 5});
  const auto loss = std::ranges::find(host.losses, "gpu1", &Loss::part);
  REQUIRE(loss != host.losses.end());
  CHECK_EQ(loss->hit, std::vector<std::string>{"llama:70b:q4_k_m #0"});
  CHECK_EQ(loss->reload_bytes, doctest::Approx(host.models[0].chosen->fit.weights));
  CHECK(loss->replan.find("1 rank to gpu4") != std::string::npos);
  CHECK_EQ(std::ranges::count(host.losses, "gpu4", &Loss::part), 0);  // nothing runs there
  const auto all = std::ranges::find(host.losses, "host", &Loss::part);
  REQUIRE(all != host.losses.end());
  CHECK(all->replan.find("stays down") != std::string::npos);
}

TEST_CASE("planner: hosts that look alike are planned once, in any order the same") {
  const Topology a = two_islands("RTX 4090"), b = switched("V100");
  std::vector<Machine> machines(10, Machine{&a, 1});
  machines.insert(machines.end(), 5, Machine{&b, 1});
  PlanRequest request = request_for({"llama:8b:q4_k_m"});
  request.concurrency = 60;
  const auto plan = make_plan(machines, request);
  REQUIRE(plan.ok());
  REQUIRE_EQ(plan->hosts.size(), 2);
  CHECK_EQ(plan->hosts[0].hosts, 10);
  CHECK_EQ(plan->hosts[1].hosts, 5);
}

TEST_CASE("planner: the same inputs give the same bytes") {
  const PlanRequest request = request_for({"llama:70b:q4_k_m", "qwen3:30b-a3b:q8_0"});
  const std::string first =
      dump_json(to_json(plan_of(switched("V100"), request), request, true), 1);
  for (int i = 0; i < 3; ++i)
    CHECK_EQ(dump_json(to_json(plan_of(switched("V100"), request), request, true), 1), first);
}

TEST_CASE("planner: each model of a platform has wishes of its own") {
  PlanRequest request = request_for({"llama:8b:q8_0", "qwen2.5:7b:q8_0"});
  request.wishes = {{16384, 4, 2, 1, {}}, {2048, 6, 0, 3, {}}};
  const HostPlan host = plan_of(switched("V100"), request).hosts[0];
  REQUIRE(host.models[0].chosen.has_value());
  CHECK_EQ(host.models[0].chosen->cut.tp, 2);
  CHECK_EQ(host.models[0].replicas.size(), 1);
  CHECK_EQ(host.models[0].chosen->load.context, 16384);
  CHECK_EQ(host.models[0].chosen->load.sequences, 4);
  REQUIRE(host.models[1].chosen.has_value());
  CHECK_EQ(host.models[1].replicas.size(), 3);
  CHECK_EQ(host.models[1].chosen->load.context, 2048);
  CHECK_EQ(host.models[1].chosen->load.sequences, 2);
  request.wishes = {{0, 0, 2, 9, {}}, {}};  // 18 of 16 GPUs
  CHECK_FALSE(plan_of(switched("V100"), request).placed());
}

TEST_CASE("planner: without a model or a machine there is no plan") {
  const Topology machine = two_islands("V100");
  const Machine one{&machine, 1};
  CHECK_EQ(make_plan({&one, 1}, {}).error().code, ErrorCode::kInvalidArgument);
  CHECK_EQ(make_plan({}, request_for({"llama:8b"})).error().code, ErrorCode::kInvalidArgument);
  Topology empty;
  const Plan nowhere = plan_of(empty, request_for({"llama:8b"}));
  CHECK_FALSE(nowhere.placed());
}
