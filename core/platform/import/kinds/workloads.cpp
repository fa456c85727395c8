// What runs: Deployments and their like, jobs, and groups of pods that start together.
#include <algorithm>

#include <fmt/format.h>

#include "core/platform/import/kinds/kinds.hpp"
#include "core/platform/import/kinds/pods.hpp"

namespace aictl::platform {
namespace {

int64_t count(const Part& part, int64_t otherwise) {
  return std::max<int64_t>(part.integer().value_or(otherwise), 0);
}

// Whose parts other targets add: pickers of endpoints, agents of nodes.
bool is_part_of_a_target(Object& object) {
  if (!object.ours()) return false;
  const std::string component = object.label_value("app.kubernetes.io/component");
  constexpr std::string_view kWorkloads[] = {"model", "gateway", "state", "events", "agent", "job"};
  return std::ranges::find(kWorkloads, component) == std::end(kWorkloads);
}

Entry entry_of(Object& object, const Part& pod, const Part& pod_meta, Draft& draft) {
  Entry entry;
  entry.object = object.name();
  entry.label = object.label();
  entry.fields["name"] = object.name();
  for (const auto& [key, value] : pod_meta["labels"].labels()) entry.labels[key] = value;
  if (pod_meta) pod_meta.take();
  entry.queue = object.label_value("kueue.x-k8s.io/queue-name");
  if (entry.queue.empty())
    entry.queue = pod_meta["annotations"]["scheduling.volcano.sh/queue-name"].text();
  read_pod(object, pod, draft, entry);
  return entry;
}

void set_replicas(const std::string& object, int64_t replicas, const Draft& draft, Json& fields) {
  fields["replicas"] = replicas;
  const auto scale = draft.scales.find(object);
  if (scale == draft.scales.end()) return;
  fields["replicas"] = scale->second.least;
  if (scale->second.most > scale->second.least) fields["max_replicas"] = scale->second.most;
}

void add_resources(const Process& process, Entry& entry) {
  entry.gpus = std::max(entry.gpus, process.gpus);
  entry.cpus = process.cpus;
  entry.memory = process.memory;
  if (entry.gpus > 0) entry.fields["gpus"] = entry.gpus;
  if (process.cpus > 0) entry.fields["cpus"] = process.cpus;
  if (process.memory > 0) entry.fields["memory"] = bytes_text(process.memory);
}

void add_process(const Process& process, Draft& draft, Entry& entry) {
  if (!process.image.empty()) entry.fields["image"] = process.image;
  if (!process.words.empty()) entry.fields["command"] = process.words;
  read_environment(process, draft, entry);
  add_resources(process, entry);
}

void add_agent(const Process& process, int64_t replicas, Entry entry, Draft& draft) {
  add_process(process, draft, entry);
  set_replicas(entry.object, replicas, draft, entry.fields);
  entry.fields.erase("max_replicas");
  entry.fields["health"] = process.health;
  for (size_t i = 0; i < process.ports.size(); ++i) {
    if (i == 0)
      entry.fields["port"] = process.ports[i].second;
    else
      process.container["ports"].items()[i].leave("an agent of the spec has one port");
  }
  draft.agents.push_back(std::move(entry));
}

void add_model(Object& object, const Process& process, int64_t replicas, Entry entry,
               Draft& draft) {
  entry.fields.erase("name");
  const int64_t claimed = entry.gpus;
  read_server(process, entry);
  for (const char* side : {"requests", "limits"})
    if (const Part memory = process.container["resources"][side]["memory"];
        memory && !object.ours())
      memory.leave("generate works it out from the model");
  entry.gpus = std::max(entry.gpus, claimed);
  read_annotations(object, entry);
  set_replicas(entry.object, replicas, draft, entry.fields);
  if (!entry.fields.contains("source")) {
    object.leave("/spec", "its command line names no model");
    return;
  }
  draft.models.push_back(std::move(entry));
}

// A service that asks models of a Knative Service may have none of its own.
std::pair<std::string, std::string> scale_bounds(const Part& notes) {
  std::string low = notes["autoscaling.knative.dev/min-scale"].text();
  std::string high = notes["autoscaling.knative.dev/max-scale"].text();
  if (low.empty()) low = notes["autoscaling.knative.dev/minScale"].text();
  if (high.empty()) high = notes["autoscaling.knative.dev/maxScale"].text();
  return {low, high};
}

int64_t number(const std::string& text, int64_t otherwise) {
  const Json value = text;
  return Part(nullptr, &value, "").integer().value_or(otherwise);
}

}  // namespace

void add_pod(Object& object, const Part& pod, const Part& pod_meta, int64_t replicas,
             Draft& draft) {
  if (is_part_of_a_target(object)) return object.take("");
  const Part main = main_container(pod);
  if (!main) return object.leave("/spec", "it has no container");
  const Process process = read_process(main);
  const std::string_view program = program_of(process);
  if (pod_meta) pod_meta.take();
  if (!program.empty() && program != "vllm" && program != "aictl serve")
    return add_own_service(object, program, process, pod, replicas, draft);
  Entry entry = entry_of(object, pod, pod_meta, draft);
  if (program.empty())
    add_agent(process, replicas, std::move(entry), draft);
  else
    add_model(object, process, replicas, std::move(entry), draft);
}

void add_work(Object& object, const Part& pod, const Part& pod_meta, int64_t parallelism,
              int64_t retries, Draft& draft) {
  const Part main = main_container(pod);
  if (!main) return object.leave("/spec", "it has no container");
  const Process process = read_process(main);
  Entry entry = entry_of(object, pod, pod_meta, draft);
  add_process(process, draft, entry);
  entry.fields["parallelism"] = std::max<int64_t>(parallelism, 1);
  entry.fields["retries"] = retries;
  if (entry.fields.contains("models")) {
    if (const Json& models = entry.fields["models"]; models.size() == 1)
      entry.fields["model"] = models.front();
    entry.fields.erase("models");
  }
  for (const char* key : {"state", "topics"}) entry.fields.erase(key);
  if (!entry.queue.empty()) entry.fields["queue"] = entry.queue;
  draft.jobs.push_back(std::move(entry));
}

void add_deployment(Object& object, Draft& draft) {
  const Part spec = object["spec"];
  add_pod(object, spec["template"]["spec"], spec["template"]["metadata"],
          count(spec["replicas"], 1), draft);
}

void add_stateful_set(Object& object, Draft& draft) {
  add_deployment(object, draft);
  for (const Part& claim : object["spec"]["volumeClaimTemplates"].items())
    if (!draft.agents.empty() && draft.agents.back().label == object.label())
      claim.leave("an agent of the spec keeps what it knows in the state store");
}

void add_daemon_set(Object& object, Draft& draft) {
  if (!object.ours()) return object.leave("", "the spec has nothing that runs on every node");
  for (const Part& image : object["spec"]["template"]["spec"]["containers"].items())
    draft.targets["kubernetes"]["agent_image"] = image["image"].text();
  object.take("");
}

void add_job(Object& object, Draft& draft) {
  const Part spec = object["spec"], pod = spec["template"]["spec"];
  if (object.label_value("app.kubernetes.io/name") == "fetch" && object.ours()) {
    Fetch& fetch = draft.fetches[object.annotation("aictl.dev/source")];
    fetch.revision = object.annotation("aictl.dev/revision");
    fetch.checksum = object.annotation("aictl.dev/checksum");
    for (const Part& container : pod["containers"].items()) {
      draft.targets["kubernetes"]["fetch_image"] = container["image"].text();
      for (const Part& variable : container["env"].items())
        if (variable["name"].text() == "HF_TOKEN")
          fetch.secret = variable["valueFrom"]["secretKeyRef"]["name"].text();
    }
    const std::string queue = object.label_value("kueue.x-k8s.io/queue-name");
    if (!queue.empty()) draft.order.push_back(queue);
    return object.take("");
  }
  const int64_t parallelism = count(spec["parallelism"], 1);
  const auto completions = spec["completions"].integer();
  if (completions && *completions != parallelism)
    spec["completions"].leave("a job of the spec runs `parallelism` pods");
  if (spec["suspend"]) spec["suspend"].take();
  add_work(object, pod, spec["template"]["metadata"], parallelism, count(spec["backoffLimit"], 6),
           draft);
}

void add_group(Object& object, Draft& draft) {
  const Part spec = object["spec"], group = spec["leaderWorkerTemplate"];
  const bool leader = bool(group["leaderTemplate"]);
  const Part pod = group[leader ? "leaderTemplate" : "workerTemplate"];
  const size_t before = draft.models.size();
  add_pod(object, pod["spec"], pod["metadata"], count(spec["replicas"], 1), draft);
  const int64_t size = count(group["size"], 1);
  if (draft.models.size() > before)
    draft.models.back().hosts = std::clamp<int64_t>(size, 1, 10000);
  else if (size > 1)
    group["size"].leave("only a model of the spec spans nodes");
  if (leader && group["workerTemplate"])
    group["workerTemplate"].take();  // the same, without a port
  if (spec["startupPolicy"]) spec["startupPolicy"].take();
}

void add_job_set(Object& object, Draft& draft) {
  const Part spec = object["spec"];
  const std::vector<Part> parts = spec["replicatedJobs"].items();
  if (parts.empty()) return object.leave("/spec", "it has no jobs");
  for (const char* key : {"network", "failurePolicy", "successPolicy", "suspend"})
    if (spec[key]) spec[key].take();
  const Part job = parts[0]["template"]["spec"], pod = job["template"];
  const Part main = main_container(pod["spec"]);
  const bool server = main && !program_of(read_process(main)).empty();
  int64_t hosts = 0;
  for (const Part& part : parts)
    hosts += std::clamp<int64_t>(count(part["template"]["spec"]["parallelism"], 1), 0, 10000) *
             std::clamp<int64_t>(count(part["replicas"], 1), 0, 10000);
  if (server) {
    const size_t before = draft.models.size();
    add_pod(object, pod["spec"], pod["metadata"], 1, draft);
    if (draft.models.size() > before)
      draft.models.back().hosts = std::clamp<int64_t>(hosts, 1, 10000);
    for (const Part& part : parts) part.take();
    return;
  }
  add_work(object, pod["spec"], pod["metadata"], hosts,
           count(spec["failurePolicy"]["maxRestarts"], 3), draft);
  parts[0].take();
  for (size_t i = 1; i < parts.size(); ++i)
    parts[i].leave("a job of the spec has pods of one kind");
}

void add_volcano_job(Object& object, Draft& draft) {
  const Part spec = object["spec"];
  const std::vector<Part> tasks = spec["tasks"].items();
  if (tasks.empty()) return object.leave("/spec", "it has no tasks");
  for (const char* key : {"plugins", "policies", "minAvailable", "schedulerName"})
    if (spec[key]) spec[key].take();
  const Part pod = tasks[0]["template"];
  add_work(object, pod["spec"], pod["metadata"], count(tasks[0]["replicas"], 1),
           count(spec["maxRetry"], 3), draft);
  if (!draft.jobs.empty() && draft.jobs.back().label == object.label())
    if (const std::string queue = spec["queue"].text(); !queue.empty())
      draft.jobs.back().fields["queue"] = queue;
  if (const Part topology = spec["networkTopology"]) {
    draft.targets["volcano"]["mode"] = topology["mode"].text();
    topology.take();
  }
  tasks[0].take();
  for (size_t i = 1; i < tasks.size(); ++i)
    tasks[i].leave("a job of the spec has pods of one kind");
}

void add_armada_jobs(Object& object, Draft& draft) {
  const std::string queue = object["queue"].text(), set = object["jobSetId"].text();
  if (set.size() > queue.size() + 1 && set.ends_with("-" + queue))
    draft.names.push_back(set.substr(0, set.size() - queue.size() - 1));
  std::map<std::string, size_t> gangs;  // in which job of the draft the pods of a gang are
  for (const Part& job : object["jobs"].items()) {
    const Part notes = job["annotations"], pod = job["podSpec"];
    std::string gang = notes["armadaproject.io/gangId"].text();
    const std::string space = job["namespace"].text();
    if (!space.empty()) draft.spaces.push_back(space);
    const std::string label = job["labels"]["app.kubernetes.io/part-of"].text();
    if (!label.empty()) draft.names.push_back(label);
    if (gang.empty()) gang = fmt::format("{}-{}", set, draft.jobs.size() + 1);
    job.take();
    if (const auto known = gangs.find(gang); known != gangs.end()) {
      Json& pods = draft.jobs[known->second].fields["parallelism"];
      pods = pods.get<int64_t>() + 1;
      continue;
    }
    const size_t before = draft.jobs.size();
    add_work(object, pod, {}, 1, 3, draft);
    if (draft.jobs.size() == before) continue;
    Entry& entry = draft.jobs.back();
    entry.fields["name"] = entry.object = gang;
    if (!queue.empty()) entry.fields["queue"] = queue;
    gangs[gang] = before;
  }
  object["queue"].take();
}

void add_knative_service(Object& object, Draft& draft) {
  const Part revision = object["spec"]["template"], pod = revision["spec"];
  const auto [low, high] = scale_bounds(revision["metadata"]["annotations"]);
  for (const char* key : {"containerConcurrency"})
    if (pod[key]) pod[key].take();
  const auto timeout = pod["timeoutSeconds"].integer();
  if (timeout) draft.targets["knative"]["timeout"] = *timeout;
  const int64_t least = std::max<int64_t>(number(low, 1), 0);
  if (number(high, 0) > least) draft.scales[object.name()] = {least, number(high, 0)};
  add_pod(object, pod, revision["metadata"], least, draft);
}

}  // namespace aictl::platform
