// A workload as templates see it.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/platform/generate/cluster/cluster.hpp"
#include "core/platform/spec/digest.hpp"
#include "core/platform/spec/names.hpp"

namespace aictl::platform {
namespace {

Json json_map(const std::map<std::string, std::string>& map) {
  Json tree = Json::object();
  for (const auto& [key, value] : map) tree[key] = value;
  return tree;
}

std::string_view word(Component component) {
  switch (component) {
    case Component::kModel:
      return "model";
    case Component::kGateway:
      return "gateway";
    case Component::kState:
      return "state";
    case Component::kEvents:
      return "events";
    case Component::kAgent:
      return "agent";
    case Component::kJob:
      return "job";
    case Component::kTelemetry:
      return "telemetry";
  }
  return "";
}

// The tag of an image where it may be a label's value: "v0.22.0".
std::string image_tag(const std::string& image) {
  const std::string name = image.substr(0, image.find('@'));
  const size_t colon = name.rfind(':');
  if (colon == name.npos || name.find('/', colon) != name.npos) return {};
  std::string tag = name.substr(colon + 1);
  return tag.size() <= 63 ? tag : std::string();
}

Json labels_of(const Cluster& cluster, const Workload& w) {
  Json labels = Json::object();
  const std::map<std::string, std::string> selector = cluster.selector(w);
  const auto name = selector.find("app.kubernetes.io/name");
  labels["app.kubernetes.io/name"] = name != selector.end() ? name->second : w.name;
  labels["app.kubernetes.io/instance"] = w.name;
  labels["app.kubernetes.io/component"] = word(w.component);
  labels["app.kubernetes.io/part-of"] = cluster.prefix();
  labels["app.kubernetes.io/managed-by"] = "aictl";
  if (const std::string tag = image_tag(w.image); !tag.empty())
    labels["app.kubernetes.io/version"] = tag;
  return labels;
}

Json environment_of(const Cluster& cluster, const Workload& w) {
  Json list = Json::array();
  for (const EnvironmentVariable& variable : w.environment) {
    Json entry = {{"name", variable.name}};
    if (variable.secret.empty()) {
      entry["value"] = literal_dollars(spell(variable.value, w, cluster));
    } else {
      Json key = {{"name", variable.secret}, {"key", variable.key}};
      if (variable.optional) key["optional"] = true;
      entry["valueFrom"] = {{"secretKeyRef", std::move(key)}};
    }
    list.push_back(std::move(entry));
  }
  return list;
}

bool answers_tls(const Workload& w, const std::string& name) {
  for (const Port& port : w.ports)
    if (port.name == name) return port.tls;
  return false;
}

Json probe_of(const Workload& w, const std::optional<Probe>& probe, int failures) {
  if (!probe) return nullptr;
  return {{"path", probe->path},
          {"port", probe->port},
          {"scheme", answers_tls(w, probe->port) ? "HTTPS" : ""},
          {"period", probe->period},
          {"timeout", probe->timeout},
          {"failures", failures}};
}

// Volumes, where they are mounted, claims of each replica and texts that become ConfigMaps.
struct Files {
  Json volumes = Json::array(), mounts = Json::array(), claims = Json::array(),
       texts = Json::array();
  uint64_t scratch = 0;
  bool tmp = false;
};

Result<Json> weights_volume(const Cluster& cluster, const Mount& mount) {
  const std::string& bring = cluster.platform().storage.bring;
  const std::string folder = Cluster::weights_folder(mount.source);
  if (bring == "download")
    return Json{{"emptyDir", {{"sizeLimit", memory_quantity(mount.bytes + mount.bytes / 10)}}}};
  if (bring == "image") {
    const std::string& registry = cluster.options().weights_registry;
    if (registry.empty())
      return Error{ErrorCode::kDataRefused,
                   fmt::format("storage.bring is 'image', and no registry has the weights of '{}'",
                               mount.source),
                   "set targets.kubernetes.weights_registry to where their images lie"};
    const std::string reference = fmt::format("{}/{}:weights", registry, folder);
    return Json{{"image", {{"reference", reference}, {"pullPolicy", "IfNotPresent"}}}};
  }
  const std::string claim = derived_name(cluster.prefix(), "models");
  return Json{{"persistentVolumeClaim", {{"claimName", claim}, {"readOnly", true}}}};
}

Result<void> add_weights(const Cluster& cluster, const Workload& w, const Mount& mount,
                         Files& files) {
  if (cluster.owner(w) == "kserve" && cluster.model(w) &&
      cluster.model(w)->entry->source == mount.source)
    return {};  // storageUri brings them
  const std::string& bring = cluster.platform().storage.bring;
  const bool shared = bring == "claim" || bring == "node";
  Json at = {{"name", shared ? "weights" : mount.name}, {"mountPath", mount.path}};
  if (shared) at["subPath"] = Cluster::weights_folder(mount.source);
  at["readOnly"] = true;
  files.mounts.push_back(std::move(at));
  if (shared)
    for (const Json& volume : files.volumes)
      if (volume["name"] == "weights") return {};
  auto volume = weights_volume(cluster, mount);
  if (!volume) return std::move(volume).error();
  Json entry = {{"name", shared ? "weights" : mount.name}};
  entry.update(*volume);
  files.volumes.push_back(std::move(entry));
  if (bring == "download") files.scratch += mount.bytes + mount.bytes / 10;
  return {};
}

Result<Files> files_of(const Cluster& cluster, const Workload& w) {
  Files files;
  for (const Mount& mount : w.mounts) {
    files.tmp |= mount.path == "/tmp";
    if (mount.kind == Mount::Kind::kModel) {
      if (auto added = add_weights(cluster, w, mount, files); !added)
        return std::move(added).error();
      continue;
    }
    Json at = {{"name", mount.name}, {"mountPath", mount.path}};
    Json volume = {{"name", mount.name}};
    switch (mount.kind) {
      case Mount::Kind::kState:
        files.claims.push_back(
            {{"name", mount.name},
             {"size", memory_quantity(std::max<uint64_t>(mount.bytes, 1 << 20))}});
        break;
      case Mount::Kind::kSecret:
        volume["secret"] = {{"secretName", mount.source}, {"defaultMode", 0440}};
        at["readOnly"] = true;
        break;
      case Mount::Kind::kConfig: {
        const std::string name = derived_name(w.name, mount.name);
        const std::string text = spell(mount.content, w, cluster);
        files.texts.push_back({{"name", name},
                               {"file", mount.file},
                               {"text", text},
                               {"digest", sha256(text).substr(0, 16)}});
        volume["configMap"] = {{"name", name}};
        at["readOnly"] = true;
        break;
      }
      default: {
        Json room = Json::object();
        if (mount.kind == Mount::Kind::kMemory) room["medium"] = "Memory";
        if (mount.bytes > 0) room["sizeLimit"] = memory_quantity(mount.bytes);
        volume["emptyDir"] = std::move(room);
        if (mount.kind == Mount::Kind::kScratch) files.scratch += mount.bytes;
      }
    }
    if (mount.kind != Mount::Kind::kState) files.volumes.push_back(std::move(volume));
    files.mounts.push_back(std::move(at));
  }
  if (!files.tmp) {  // the root file system is read-only
    constexpr uint64_t kTmp = uint64_t{1} << 30;
    files.volumes.push_back(
        {{"name", "tmp"}, {"emptyDir", {{"sizeLimit", memory_quantity(kTmp)}}}});
    files.mounts.push_back({{"name", "tmp"}, {"mountPath", "/tmp"}});
    files.scratch += kTmp;
  }
  return files;
}

// The formula of a number as a comment behind it; empty without one.
std::string because(const Workload& w, const std::string& field) {
  const auto found = w.why.find(field);
  if (found == w.why.end() || found->second.empty()) return {};
  std::string text = found->second;
  std::replace(text.begin(), text.end(), '\n', ' ');
  return "  # " + text;
}

Json notes_for(const Workload& w) {
  Json notes = Json::object();
  for (const char* field : {"cpus", "memory", "ephemeral", "gpus"})
    notes[field] = because(w, std::string("resources.") + field);
  notes["startup"] = because(w, "startup_seconds");
  notes["shutdown"] = because(w, "shutdown_seconds");
  notes["replicas"] = because(w, "replicas");
  return notes;
}

Json selector_of_nodes(const Cluster& cluster, const Workload& w) {
  std::map<std::string, std::string> labels = cluster.platform().placement.selector;
  for (const PlannedPool& pool : cluster.plan().pools)
    if (pool.name == w.pool) labels.insert(pool.selector.begin(), pool.selector.end());
  if (!w.resources.gpu_product.empty() && w.resources.gpus > 0 &&
      cluster.gpu_resource() == "nvidia.com/gpu")
    labels.emplace("nvidia.com/gpu.product", w.resources.gpu_product);
  return json_map(labels);
}

std::string kind_of(const Workload& w, const Files& files) {
  if (w.restart != Restart::kAlways) return "Job";
  return files.claims.empty() ? "Deployment" : "StatefulSet";
}

Json resources_of(const Cluster& cluster, const Workload& w, const Files& files) {
  constexpr uint64_t kLogs = uint64_t{1} << 30;
  const uint64_t ephemeral = std::max(w.resources.ephemeral, files.scratch + kLogs);
  return {{"cpu", cpu_quantity(pod_cpus(w))},
          {"memory", memory_quantity(pod_memory(w))},
          {"ephemeral", memory_quantity(ephemeral)},
          {"gpus", w.resources.gpus},
          {"gpu_resource", cluster.gpu_resource()},
          {"claims", cluster.claims() && w.resources.gpus > 0 && cluster.owner(w) != "knative"}};
}

Json flows_of(const Cluster& cluster, const Workload& w, bool incoming) {
  Json peers = Json::array();
  for (const Flow& flow : cluster.flows()) {
    if ((incoming ? flow.to : flow.from) != &w) continue;
    const Workload& peer = incoming ? *flow.from : *flow.to;
    peers.push_back({{"name", peer.name},
                     {"selector", json_map(cluster.selector(peer))},
                     {"port", peer.ports.empty() ? 0 : peer.ports.front().number}});
  }
  return peers;
}

void add_scale(const Cluster& cluster, const Workload& w, Json& v) {
  const bool scaled = w.max_replicas > w.replicas && cluster.options().autoscale != "none" &&
                      v["kind"] == "Deployment";
  v["replicas"] = w.replicas;
  v["max_replicas"] = std::max(w.replicas, w.max_replicas);
  v["scaled"] = scaled;
  v["pdb"] = std::max(w.replicas, w.max_replicas) >= 2;
  const bool surge = w.resources.gpus == 0 || cluster.spare_gpus(w);
  v["max_surge"] = surge ? 1 : 0;
  v["max_unavailable"] = surge ? 0 : 1;
  v["surge_why"] = surge ? "" : "  # no spare GPU: an old pod leaves before a new one starts";
}

void add_times(const Workload& w, Json& v) {
  constexpr int kMargin = 5;  // for the kubelet itself
  v["linger"] = w.linger_seconds;
  v["shutdown"] = w.shutdown_seconds;
  v["grace"] = w.linger_seconds + w.shutdown_seconds + kMargin;
  v["startup_seconds"] = w.startup_seconds;
  v["progress_deadline"] = std::max(600, 2 * w.startup_seconds);
  v["cooldown"] = std::max(300, w.startup_seconds + 60);  // longer than a start, or it flaps
  const int period = w.startup ? std::max(1, w.startup->period) : 10;
  const int failures = std::max(1, (w.startup_seconds + period - 1) / period);
  v["startup"] = probe_of(w, w.startup, failures);
  v["ready"] = probe_of(w, w.ready, w.ready ? w.ready->failures : 0);
  v["live"] = probe_of(w, w.live, w.live ? w.live->failures : 0);
}

}  // namespace

Result<Json> workload_variables(const Cluster& cluster, const Workload& w) {
  auto files = files_of(cluster, w);
  if (!files) return std::move(files).error();
  Json v = {{"name", w.name},
            {"component", word(w.component)},
            {"owner", cluster.owner(w)},
            {"kind", kind_of(w, *files)},
            {"model", w.model},
            {"nodes", w.nodes}};
  const Json labels = labels_of(cluster, w);
  v["labels"] = labels;
  v["selector"] = json_map(cluster.selector(w));
  const bool ours = w.component == Component::kGateway || w.component == Component::kState ||
                    w.component == Component::kEvents;
  v["image"] = ours && !cluster.options().image.empty() ? cluster.options().image : w.image;
  v["container"] = labels["app.kubernetes.io/name"];
  v["command"] = Json::array();
  v["args"] = Json::array();
  v["args_why"] = Json::array();
  std::string why;  // of the flag before a value
  for (const Word& argument : w.argv) {
    const std::string text = spell(argument, w, cluster);
    const bool program = v["command"].empty();
    v[program ? "command" : "args"].push_back(literal_dollars(text));
    const std::string own = because(w, "argv." + text.substr(0, text.find('=')));
    const bool joined = text.find('=') != text.npos;
    if (!program) v["args_why"].push_back(joined ? own : why);
    why = joined ? "" : own;
  }
  v["env"] = environment_of(cluster, w);
  v["ports"] = Json::array();
  for (const Port& port : w.ports)
    v["ports"].push_back({{"name", port.name}, {"number", port.number}, {"tls", port.tls}});
  v["service"] = cluster.service(w);
  v["resources"] = resources_of(cluster, w, *files);
  v["volumes"] = std::move(files->volumes);
  v["mounts"] = std::move(files->mounts);
  v["claims"] = std::move(files->claims);
  v["texts"] = std::move(files->texts);
  v["node_selector"] = selector_of_nodes(cluster, w);
  v["queue"] = queue_of(cluster, w);
  v["callers"] = flows_of(cluster, w, true);
  v["callees"] = flows_of(cluster, w, false);
  v["restart"] = w.restart == Restart::kAlways      ? "Always"
                 : w.restart == Restart::kOnFailure ? "OnFailure"
                                                    : "Never";
  add_times(w, v);
  add_scale(cluster, w, v);
  v["note"] = notes_for(w);
  return v;
}

}  // namespace aictl::platform
