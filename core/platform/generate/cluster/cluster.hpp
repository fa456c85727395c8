// Cluster: a plan as it will stand in a cluster: which target writes which workload, how one
// reaches another, where files lie. What templates are given comes from here.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/platform/generate/cluster/options.hpp"
#include "core/platform/plan/plan.hpp"
#include "core/plugin/renderer.hpp"

namespace aictl::platform {

/// Who reaches whom, from the addresses a workload names and from what it needs.
struct Flow {
  const Workload* from;
  const Workload* to;
};

/// The platform's name, or a cut one that stands for it, as the beginning of objects' names.
std::string prefix_of(const Platform& platform);

class Cluster : public AddressBook {
 public:
  /// Errors: kDataRefused naming the option that does not read.
  static Result<Cluster> make(const RenderRequest& request);

  const PlatformPlan& plan() const { return request_->plan; }
  const Platform& platform() const { return request_->plan.platform; }
  const RenderRequest& request() const { return *request_; }
  /// The platform's name as the beginning of others: 40 characters at most.
  std::string prefix() const { return prefix_of(platform()); }
  const ClusterOptions& options() const { return options_; }

  /// Whether a target is written down in the same go.
  bool has(std::string_view target) const;
  /// The target that writes a workload down: "kserve", "kubernetes".
  std::string_view owner(const Workload& workload) const;
  /// targets.kserve.mode, empty where the spec has none.
  std::string kserve_mode() const;
  /// The labels by which its pods are found.
  std::map<std::string, std::string> selector(const Workload& workload) const;
  /// The name of the Service others reach it by, and its port there.
  std::string service(const Workload& workload) const;
  int service_port(const Workload& workload) const;
  /// The folder of a model's weights below the mount of all weights.
  static std::string weights_folder(std::string_view source);
  /// Of the spec's model; nullptr for another workload.
  const PlannedModel* model(const Workload& workload) const;
  std::vector<Flow> flows() const;
  /// "nvidia.com/gpu".
  std::string gpu_resource() const;
  /// Whether GPUs are left when every workload runs.
  bool spare_gpus(const Workload& workload) const;
  /// Whether pods get GPUs by resource claims.
  bool claims() const;

  std::string resolve(const Workload& of, const Reference& reference) const override;

 private:
  explicit Cluster(const RenderRequest& request) : request_(&request) {}
  const RenderRequest* request_;
  ClusterOptions options_;
};

/// "8", "500m".
std::string cpu_quantity(double cpus);
/// "16Gi", "1536Mi": rounded up to whole Mi.
std::string memory_quantity(uint64_t bytes);
/// The text with `$(` written so that a kubelet leaves it alone.
std::string literal_dollars(std::string text);

/// What templates call a workload: its labels, command line, resources, mounts, probes.
/// Errors: kDataRefused naming the field of the spec that the cluster cannot carry out.
Result<Json> workload_variables(const Cluster& cluster, const Workload& workload);

/// What a pod of a workload asks for.
double pod_cpus(const Workload& workload);
uint64_t pod_memory(const Workload& workload);
/// Whether a workload waits in a queue where there are some: it takes GPUs, or it ends.
bool queued(const Workload& workload);
/// The queue of what serves and of what brings weights; with queues in the spec one of its own.
std::string serving_queue(const Cluster& cluster);
/// The queue a workload waits in: a job's own, else the spec's first; serving_queue of the rest.
std::string queue_of(const Cluster& cluster, const Workload& workload);
/// The queues of the spec, and that of what serves with its `needs`: gpus, cpus and bytes of
/// memory by pool. `workloads` and `weights` are variables.
Json queue_variables(const Cluster& cluster, const Json& workloads, const Json& weights);

/// Everything templates are given, but `knobs`. Errors: as above.
Result<Json> platform_variables(const Cluster& cluster);

}  // namespace aictl::platform
