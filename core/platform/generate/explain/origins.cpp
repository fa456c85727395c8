#include "core/platform/generate/explain/origins.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <fmt/format.h>

#include "core/platform/spec/names.hpp"
#include "core/platform/spec/read.hpp"

namespace aictl::platform {
namespace {

using Kind = Origin::Kind;

// A field of a workload: the key of its entry in the spec, or the formula that the plan noted, or
// words of ours; the first there is. A field stands for what lies below it, too.
struct FieldRule {
  std::string_view field, spec, why, words;
};

constexpr FieldRule kWorkloadRules[] = {
    {"name", "name", "", "the component's own name"},
    {"model", "name", "", ""},
    {"container", "name", "", "the name of the engine or component"},
    {"service", "name", "", "the Service of that component"},
    {"selector", "name", "", "the recommended labels of that component"},
    {"image", "image", "", "the image of this release"},
    {"replicas", "replicas", "replicas", "one, where nothing else is said"},
    {"max_replicas", "max_replicas", "replicas", "as replicas"},
    {"resources/cpu", "cpus", "resources.cpus", ""},
    {"resources/memory", "memory", "resources.memory", ""},
    {"resources/ephemeral", "", "resources.ephemeral", "scratch volumes + 1 GiB for logs"},
    {"resources/gpus", "gpus", "resources.gpus", ""},
    {"note/cpus", "", "resources.cpus", ""},
    {"startup/failures", "", "startup_seconds", "startup seconds / period, rounded up"},
    {"startup_seconds", "", "startup_seconds", "60 s, where nothing else is known"},
    {"progress_deadline", "", "startup_seconds", "600 s, or twice the startup if that is more"},
    {"cooldown", "", "startup_seconds", "300 s, or longer than a start"},
    {"shutdown", "", "shutdown_seconds", "30 s, where nothing else is known"},
    {"grace", "", "shutdown_seconds", "linger + shutdown + 5 s"},
    {"startup/path", "health", "", "the health endpoint of that component"},
    {"ready/path", "health", "", "the readiness endpoint of that component"},
    {"live/path", "health", "", "the liveness endpoint of that component"},
    {"ports", "port", "", "the port of that component"},
    {"retries", "retries", "", "three, where nothing else is said"},
    {"command", "command", "", "the program of that component"},
    {"restart", "", "", "jobs end, everything else is started again"},
    {"callers", "", "", "who names it or needs it"},
    {"callees", "", "", "whom it names or needs"},
    {"volumes", "", "", "a volume for each mount of the workload"},
    {"claims", "size", "", "the size of its store"},
    {"queue", "queue", "", "the first queue of the spec, or the platform's own"},
};

// A flag of an engine and the field of its model in the spec that it carries.
constexpr std::pair<std::string_view, std::string_view> kFlags[] = {
    {"--name", "name"},
    {"--served-model-name", "name"},
    {"--context", "context"},
    {"--max-model-len", "context"},
    {"--concurrency", "concurrency"},
    {"--max-num-seqs", "concurrency"},
    {"--tensor-parallel-size", "tensor_parallel"},
    {"--quantization", "quantisation"},
    {"--kv-cache-dtype", "kv_type"},
    {"--threads", "cpus"},
    {"--store", "store"},
    {"--broker", "broker"},
    {"--ttl", "ttl"},
};

// Options of targets.kubernetes under the names that templates have for them.
constexpr std::pair<std::string_view, std::string_view> kOptions[] = {
    {"monitoring", "monitoring_namespace"}, {"gateways", "gateway_namespace"}};

std::vector<std::string> words_of(std::string_view pointer) {
  std::vector<std::string> words;
  while (!pointer.empty()) {
    const size_t end = std::min(pointer.find('/', 1), pointer.size());
    words.emplace_back(pointer.substr(1, end - 1));
    pointer.remove_prefix(end);
  }
  return words;
}

constexpr size_t kNone = SIZE_MAX;

// kNone when the word is no number.
size_t number(const std::string& word) {
  size_t value = 0;
  const auto [end, status] = std::from_chars(word.data(), word.data() + word.size(), value);
  return status != std::errc() || end != word.data() + word.size() ? kNone : value;
}

// "/models/0/slo/ttft" as people write it: "models[0].slo.ttft".
std::string path_text(const std::string& pointer) {
  std::string text;
  for (const std::string& word : words_of(pointer))
    text += number(word) != kNone ? "[" + word + "]" : (text.empty() ? "" : ".") + word;
  return text;
}

bool is_in(const Platform& p, const std::string& pointer) { return p.places.contains(pointer); }

Origin rule(std::string words) { return {Kind::kRule, std::move(words)}; }

template <typename List>
std::string entry_of(const List& list, const char* section, const std::string& workload) {
  for (size_t i = 0; i < list.size(); ++i)
    if (slug(list[i].name) == workload) return fmt::format("/{}/{}", section, i);
  return {};
}

// The entry of the spec that a workload carries out: "/models/0".
std::string entry_of(const PlatformPlan& plan, const Workload& w) {
  switch (w.component) {
    case Component::kModel:
      for (const PlannedModel& m : plan.models)
        if (m.workload == w.name)
          return fmt::format("/models/{}", m.entry - plan.platform.models.data());
      return {};
    case Component::kAgent:
      return entry_of(plan.platform.agents, "agents", w.name);
    case Component::kJob:
      return entry_of(plan.platform.jobs, "jobs", w.name);
    case Component::kGateway:
      return "/gateway";
    case Component::kState:
      return "/state";
    case Component::kEvents:
      return "/events";
    case Component::kTelemetry:
      return "/telemetry";
  }
  return {};
}

// A formula of the plan, behind ours when it is of another field.
Origin formula(const Platform& p, const std::string& entry, const FieldRule& r,
               const std::string& why) {
  if (why.ends_with(" of the spec") &&
      r.field.ends_with(r.why))  // it is what the spec says of that
    return origin_in_spec(p, fmt::format("{}/{}", entry, r.why));
  if (why.starts_with("as the spec says"))
    return origin_in_spec(p, fmt::format("{}/{}", entry, r.spec));
  const bool of_another =
      !r.words.empty() && !r.why.ends_with(r.field) && !r.why.starts_with("res");
  return {Kind::kFormula, of_another ? fmt::format("{}: {}", r.words, why) : why};
}

Origin workload_field(const PlatformPlan& plan, const Workload& w, const std::string& field) {
  const Platform& p = plan.platform;
  const std::string entry = entry_of(plan, w);
  for (const FieldRule& r : kWorkloadRules) {
    const bool below = field.starts_with(r.field) &&
                       (field.size() == r.field.size() || field[r.field.size()] == '/');
    if (!below) continue;
    const std::string in_spec = fmt::format("{}/{}", entry, r.spec);
    if (!r.spec.empty() && is_in(p, in_spec)) return origin_in_spec(p, in_spec);
    const auto why = w.why.find(std::string(r.why));
    if (!r.why.empty() && why != w.why.end() && !why->second.empty())
      return formula(p, entry, r, why->second);
    if (!r.words.empty()) return rule(fmt::format("{} ({})", r.words, w.name));
    return {Kind::kDefault, fmt::format("default of {}", path_text(in_spec))};
  }
  return rule(fmt::format("worked out by aictl: {} of {}", field, w.name));
}

// A word of the command line behind the program: the flag it belongs to tells.
Origin argument(const PlatformPlan& plan, const Workload& w, size_t index,
                const std::string& value) {
  const auto literal = [&](size_t i) -> std::string {
    if (i >= w.argv.size() || w.argv[i].size() != 1) return {};
    const auto* text = std::get_if<std::string>(&w.argv[i].front());
    return text ? *text : "";
  };
  const std::string entry = entry_of(plan, w), own = literal(index + 1), flag = literal(index);
  const Platform& p = plan.platform;
  const auto* models = w.component == Component::kModel ? &p.models : nullptr;
  if (models && !own.empty())
    for (const ModelEntry& m : *models)
      if (m.name == w.model)
        for (size_t i = 0; i < m.args.size(); ++i)
          if (index + 1 + m.args.size() - i == w.argv.size() && m.args[i] == own)
            return origin_in_spec(p, fmt::format("{}/args/{}", entry, i));
  if (is_in(p, fmt::format("{}/command/{}", entry, index + 1)))
    return origin_in_spec(p, fmt::format("{}/command/{}", entry, index + 1));
  if (own.starts_with("--") || index + 1 >= w.argv.size())
    return rule(fmt::format("the command line of {}", w.name));
  for (const auto& [name, field] : kFlags)
    if (flag == name && own == value && is_in(p, fmt::format("{}/{}", entry, field)))
      return origin_in_spec(p, fmt::format("{}/{}", entry, field));
  if (const auto why = w.why.find("argv." + flag); why != w.why.end() && !why->second.empty())
    return {Kind::kFormula, why->second};
  for (const auto& [name, field] : kFlags)
    if (flag == name && own == value) return origin_in_spec(p, fmt::format("{}/{}", entry, field));
  if (own.empty()) return rule(fmt::format("an address or path of {} there", w.name));
  return rule(fmt::format("the command line of {}", w.name));
}

Origin variable_of(const PlatformPlan& plan, const Workload& w, size_t index) {
  const std::string entry = entry_of(plan, w);
  if (index >= w.environment.size()) return rule("set for its engine");
  const std::string pointer = fmt::format("{}/env/{}", entry, w.environment[index].name);
  if (is_in(plan.platform, pointer)) return origin_in_spec(plan.platform, pointer);
  return rule(fmt::format("what {} is told: {}", w.name, w.environment[index].name));
}

// The labels of the nodes a workload goes to.
Origin node_label(const PlatformPlan& plan, const Workload& w, const std::string& key) {
  const Platform& p = plan.platform;
  if (is_in(p, "/placement/selector/" + key))
    return origin_in_spec(p, "/placement/selector/" + key);
  for (size_t i = 0; i < p.placement.pools.size(); ++i)
    if (p.placement.pools[i].name == w.pool)
      if (const auto at = fmt::format("/placement/pools/{}/selector/{}", i, key); is_in(p, at))
        return origin_in_spec(p, at);
  for (const PlannedPool& pool : plan.pools)
    if (pool.name == w.pool)
      return {Kind::kMeasured, fmt::format("the GPUs of {} ({})", pool.name, pool.source)};
  return rule("worked out by aictl: nodeSelector of " + w.name);
}

Origin of_workload(const PlatformPlan& plan, const std::vector<std::string>& words,
                   const std::string& value) {
  const size_t index = words.size() > 2 ? number(words[1]) : kNone;
  if (index >= plan.workloads.size()) return rule("worked out by aictl: workloads");
  const Workload& w = plan.workloads[index];
  const size_t item = words.size() > 3 ? number(words[3]) : kNone;
  if (words[2] == "args" && item != kNone) return argument(plan, w, item, value);
  if (words[2] == "env" && item != kNone) return variable_of(plan, w, item);
  if (words[2] == "node_selector" && words.size() > 3) return node_label(plan, w, words[3]);
  if (words[2] == "resources" && words.back() == "gpu_resource" &&
      !is_in(plan.platform, "/targets/kubernetes/gpu_resource"))
    return {Kind::kMeasured, fmt::format("the vendor of the GPUs of {}", plan.topology_source)};
  std::string field;
  for (size_t i = 2; i < words.size(); ++i) field += (i > 2 ? "/" : "") + words[i];
  return workload_field(plan, w, field);
}

// What a model is given beside its fields in the spec.
Origin of_model(const PlatformPlan& plan, const std::vector<std::string>& words) {
  const size_t index = words.size() > 2 ? number(words[1]) : kNone;
  if (index >= plan.models.size()) return rule("worked out by aictl: models");
  const PlannedModel& m = plan.models[index];
  const std::string entry = fmt::format("/models/{}", m.entry - plan.platform.models.data());
  std::string field = words[2] == "weights" && words.size() > 3 ? words[3] : words[2];
  const auto starts = [&](std::string_view start) -> Origin {
    for (const std::string& line : m.arithmetic)
      if (line.starts_with(start)) return {Kind::kFormula, line};
    return rule(fmt::format("worked out by aictl: {} of {}", field, m.entry->name));
  };
  if (field == "repository" || field == "file" || field == "folder" || field == "job" ||
      (field == "revision" && m.entry->revision.empty()))
    field = "source";
  if (field == "tensor" && m.entry->tensor_parallel > 0) field = "tensor_parallel";
  if (field == "ttft_ms" || field == "tpot_ms") field = "slo/" + field.substr(0, 4);
  if (field == "workload") field = "name";
  if (field == "sequences") field = "concurrency";
  if (field == "memory") return starts("memory");
  if (field == "shm") return starts("/dev/shm");
  if (field == "tensor" || field == "pipeline" || field == "nodes" || field == "gpus_per_node")
    return starts("need");
  if (field == "bytes" || field == "room" || field == "weight_bytes") return starts("weights");
  if (field == "gpu_memory" || field == "product")
    return {Kind::kMeasured, fmt::format("the GPUs of {}", plan.topology_source)};
  return origin_in_spec(plan.platform, fmt::format("{}/{}", entry, field));
}

Origin of_pool(const PlatformPlan& plan, const std::vector<std::string>& words) {
  const size_t index = words.size() > 2 ? number(words[1]) : kNone;
  if (index >= plan.pools.size()) return rule("worked out by aictl: pools");
  const Platform& p = plan.platform;
  const std::string in_spec = fmt::format("/placement/pools/{}/{}", index, words[2]);
  if (words[2] == "labels") return rule("the labels of placement.selector and of its pool");
  if (is_in(p, in_spec)) return origin_in_spec(p, in_spec);
  return {Kind::kMeasured, fmt::format("{} of {}", words[2], plan.pools[index].source)};
}

}  // namespace

Origin origin_in_spec(const Platform& p, const std::string& pointer) {
  const auto place = p.places.find(pointer);
  if (place != p.places.end())
    return {Kind::kSpec, fmt::format("{}:{} ({})", p.file, place->second.line, path_text(pointer))};
  return {Kind::kDefault, fmt::format("default of {}", path_text(pointer))};
}

Origin origin_of(const PlatformPlan& plan, const std::string& pointer, const std::string& value) {
  const Platform& p = plan.platform;
  const std::vector<std::string> words = words_of(pointer);
  if (words.empty()) return rule("the template");
  const std::string& first = words.front();
  if (first == "platform") return origin_in_spec(p, "/name");
  if (first == "space")
    return is_in(p, "/namespace") ? origin_in_spec(p, "/namespace") : origin_in_spec(p, "/name");
  if (first == "workloads") return of_workload(plan, words, value);
  if (first == "models") return of_model(plan, words);
  if (first == "pools") return of_pool(plan, words);
  if (first == "gpu_resource")
    return {Kind::kMeasured, fmt::format("the vendor of the GPUs of {}", plan.topology_source)};
  if (first == "weights_room")
    return is_in(p, "/storage/models")
               ? origin_in_spec(p, "/storage/models")
               : Origin{Kind::kFormula, "1.25 x the bytes of all weights, 1 GiB at least"};
  if (first == "options" && words.size() > 1) {
    std::string key = words[1];
    for (const auto& [name, option] : kOptions)
      if (key == name) key = option;
    return origin_in_spec(p, "/targets/kubernetes/" + key);
  }
  if (first == "styles")
    return rule(fmt::format("how {} writes pods", words.size() > 1 ? words[1] : "it"));
  constexpr std::string_view kSections[] = {"gateway", "state",  "events", "telemetry",
                                            "storage", "agents", "queues", "targets"};
  if (first == "targets" && words.size() == 2) return rule("the targets that were asked for");
  if (std::ranges::find(kSections, first) != std::end(kSections) && words.size() > 1) {
    std::string at = pointer;  // where the spec has it: a slug is made from a name
    for (const auto& [ours, field] : {std::pair("/slug", "/name"), {"retention_ms", "retention"}})
      if (at.ends_with(ours)) at.replace(at.size() - std::strlen(ours), at.npos, field);
    if (first == "targets" || platform_tree(p, true).contains(Json::json_pointer(at)))
      return origin_in_spec(p, at);
  }
  return rule("worked out by aictl: " + path_text(pointer));
}

}  // namespace aictl::platform
