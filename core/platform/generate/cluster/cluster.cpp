#include "core/platform/generate/cluster/cluster.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "core/platform/spec/names.hpp"

namespace aictl::platform {
namespace {

constexpr std::string_view kModelTargets[] = {"kserve", "knative", "kuberay"};
constexpr std::string_view kWideTargets[] = {"leaderworkerset", "jobset"};
constexpr std::string_view kJobTargets[] = {"volcano", "armada", "kuberay", "jobset"};

void add_flows(const Cluster& cluster, const Workload& from, const Word& word,
               std::vector<Flow>& flows) {
  for (const Piece& piece : word) {
    const auto* reference = std::get_if<Reference>(&piece);
    if (!reference || reference->kind != Reference::Kind::kUrl) continue;
    if (const Workload* to = cluster.plan().workload(reference->target))
      flows.push_back({&from, to});
  }
}

}  // namespace

Result<Cluster> Cluster::make(const RenderRequest& request) {
  Cluster cluster(request);
  std::vector<Row> rows = cluster_rows(cluster.options_);
  const auto& targets = request.plan.platform.targets;
  const auto values = targets.find("kubernetes");
  if (auto set = set_rows(rows, values == targets.end() ? nullptr : &values->second, "kubernetes");
      !set)
    return std::move(set).error();
  return cluster;
}

bool Cluster::has(std::string_view target) const {
  return std::find(request_->targets.begin(), request_->targets.end(), target) !=
         request_->targets.end();
}

std::string_view Cluster::owner(const Workload& workload) const {
  const auto first = [&](std::span<const std::string_view> targets) -> std::string_view {
    for (const std::string_view target : targets)
      if (has(target)) return target;
    return "kubernetes";
  };
  if (workload.nodes > 1) {
    const std::string_view wide = first(kWideTargets);
    if (wide != "kubernetes") return wide;
    if (has("kserve") && workload.component == Component::kModel && kserve_mode() == "llm")
      return "kserve";
    return has("kuberay") ? "kuberay" : wide;
  }
  if (workload.component == Component::kModel) {
    const std::string_view target = first(kModelTargets);
    const PlannedModel* planned = model(workload);
    const bool vllm = planned && planned->entry->engine == ModelEngine::kVllm;
    return target == "kuberay" && !vllm ? "kubernetes" : target;  // Ray Serve LLM runs vLLM
  }
  if (workload.component == Component::kJob) return first(kJobTargets);
  if (workload.component == Component::kAgent && has("knative")) return "knative";
  return "kubernetes";
}

std::string Cluster::kserve_mode() const {
  const auto values = platform().targets.find("kserve");
  if (values == platform().targets.end() || !values->second.is_object()) return {};
  const auto mode = values->second.find("mode");
  return mode != values->second.end() && mode->is_string() ? mode->get<std::string>() : "";
}

const PlannedModel* Cluster::model(const Workload& workload) const {
  for (const PlannedModel& each : plan().models)
    if (each.workload == workload.name) return &each;
  return nullptr;
}

std::map<std::string, std::string> Cluster::selector(const Workload& workload) const {
  const std::string_view target = owner(workload);
  if (target == "kserve") return {{"serving.kserve.io/inferenceservice", workload.name}};
  if (target == "knative") return {{"serving.knative.dev/service", workload.name}};
  const PlannedModel* planned = model(workload);
  std::string name = "aictl";
  if (planned && planned->entry->engine == ModelEngine::kVllm) name = "vllm";
  if (workload.service.empty() && !planned) name = workload.name;
  return {{"app.kubernetes.io/name", name}, {"app.kubernetes.io/instance", workload.name}};
}

std::string Cluster::service(const Workload& workload) const {
  const std::string_view target = owner(workload);
  if (target == "kserve") return derived_name(workload.name, "predictor");
  if (target == "kuberay") return derived_name(workload.name, "serve-svc");
  if (target == "leaderworkerset" || target == "jobset") return derived_name(workload.name, "api");
  return workload.name;
}

int Cluster::service_port(const Workload& workload) const {
  const std::string_view target = owner(workload);
  if (target == "kserve" || target == "knative") return 80;
  return workload.ports.empty() ? 0 : workload.ports.front().number;
}

std::string Cluster::weights_folder(std::string_view source) { return slug(source); }

std::vector<Flow> Cluster::flows() const {
  std::vector<Flow> flows;
  for (const Workload& from : plan().workloads) {
    for (const Word& word : from.argv) add_flows(*this, from, word, flows);
    for (const EnvironmentVariable& variable : from.environment)
      add_flows(*this, from, variable.value, flows);
    for (const Mount& mount : from.mounts) add_flows(*this, from, mount.content, flows);
    for (const std::string& need : from.needs)
      if (const Workload* to = plan().workload(need); to && !to->ports.empty())
        flows.push_back({&from, to});
  }
  const auto before = [](const Flow& a, const Flow& b) {
    return std::tie(a.from->name, a.to->name) < std::tie(b.from->name, b.to->name);
  };
  std::sort(flows.begin(), flows.end(), before);
  const auto same = [](const Flow& a, const Flow& b) { return a.from == b.from && a.to == b.to; };
  flows.erase(std::unique(flows.begin(), flows.end(), same), flows.end());
  return flows;
}

std::string Cluster::gpu_resource() const {
  if (!options_.gpu_resource.empty()) return options_.gpu_resource;
  for (const PlannedPool& pool : plan().pools)
    if (!pool.topology.gpus.empty() && pool.topology.gpus.front().vendor == "AMD")
      return "amd.com/gpu";
  return "nvidia.com/gpu";
}

bool Cluster::spare_gpus(const Workload& workload) const {
  for (const PlannedPool& pool : plan().pools) {
    if (pool.name != workload.pool) continue;
    int64_t left = static_cast<int64_t>(pool.topology.gpus.size()) * pool.nodes;
    for (const Workload& each : plan().workloads)
      if (each.pool == pool.name)
        left -=
            int64_t{each.resources.gpus} * each.nodes * std::max(each.replicas, each.max_replicas);
    return left >= workload.resources.gpus;
  }
  return false;
}

bool Cluster::claims() const { return has("topology"); }

std::string Cluster::resolve(const Workload& of, const Reference& reference) const {
  const auto port = [&](const Workload& workload) {
    for (const Port& each : workload.ports)
      if (each.name == reference.target) return each.number;
    return workload.ports.empty() ? 0 : workload.ports.front().number;
  };
  switch (reference.kind) {
    case Reference::Kind::kListen:
      return fmt::format("0.0.0.0:{}", port(of));
    case Reference::Kind::kHost:
      return "0.0.0.0";
    case Reference::Kind::kPort:
      return fmt::format("{}", port(of));
    case Reference::Kind::kUrl: {
      const Workload* to = plan().workload(reference.target);
      if (!to) return {};
      const bool tls = owner(*to) == "kubernetes" && !to->ports.empty() && to->ports.front().tls;
      return fmt::format("{}://{}.{}.svc:{}", tls ? "https" : "http", service(*to),
                         platform().space, service_port(*to));
    }
    case Reference::Kind::kPath:
      for (const Mount& mount : of.mounts) {
        if (mount.name != reference.target) continue;
        const bool staged = mount.kind == Mount::Kind::kModel && owner(of) == "kserve" &&
                            model(of) && model(of)->entry->source == mount.source;
        return staged ? "/mnt/models" : mount.path;
      }
      return {};
  }
  return {};
}

std::string prefix_of(const Platform& platform) {
  constexpr size_t kLongest = 40;  // what is put behind it leaves it a label
  return slug(platform.name, kLongest);
}

std::string cpu_quantity(double cpus) {
  const auto milli = static_cast<int64_t>(std::ceil(cpus * 1000 - 1e-6));
  return milli % 1000 == 0 ? fmt::format("{}", milli / 1000) : fmt::format("{}m", milli);
}

std::string memory_quantity(uint64_t bytes) {
  const uint64_t mebi = (bytes + (1 << 20) - 1) >> 20;
  return mebi % 1024 == 0 && mebi > 0 ? fmt::format("{}Gi", mebi / 1024)
                                      : fmt::format("{}Mi", mebi);
}

std::string literal_dollars(std::string text) {
  for (size_t at = 0; (at = text.find("$(", at)) != text.npos; at += 3) text.insert(at, 1, '$');
  return text;
}

}  // namespace aictl::platform
