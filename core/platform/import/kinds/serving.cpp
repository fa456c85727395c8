// Models of KServe and of Ray.
#include <algorithm>

#include <fmt/format.h>

#include "core/platform/import/kinds/kinds.hpp"
#include "core/platform/import/kinds/pods.hpp"
#include "core/value/yaml.hpp"

namespace aictl::platform {
namespace {

bool is_list(const Json& tree, const char* key) {
  return tree.is_object() && tree.contains(key) && tree[key].is_array();
}

void append(const Json& from, const char* key, Json& to) {
  if (!is_list(from, key)) return;
  for (const Json& item : from[key]) to[key].push_back(item);
}

// The container that KServe makes of its runtime and of what the service says itself.
Json composed_container(const Json& runtime, const Json& model) {
  Json container = Json::object();
  if (is_list(runtime, "containers") && !runtime["containers"].empty() &&
      runtime["containers"][0].is_object())
    container = runtime["containers"][0];
  for (const char* key : {"args", "env"})
    if (container.contains(key) && !container[key].is_array()) container.erase(key);
  append(model, "args", container);
  append(model, "env", container);
  for (const char* key : {"command", "resources", "image"})
    if (model.is_object() && model.contains(key)) container[key] = model[key];
  return container;
}

// What a storageUri says of the source of a model.
void read_uri(const std::string& uri, Entry& entry, Object& object, const Part& part) {
  if (uri.starts_with("hf://")) {
    entry.fields["source"] = uri;
  } else if (uri.starts_with("pvc://")) {
    const size_t slash = uri.find('/', 6);
    entry.weights = uri.substr(6, slash - std::min<size_t>(slash, 6));
    entry.fields["source"] = slash == uri.npos ? entry.object : uri.substr(slash);
  } else if (!uri.empty()) {
    if (!object.ours())
      part.leave("a source of the spec is a file, a folder or hf://: put the weights there");
    entry.fields["source"] = entry.object;
  }
}

// Reads the pod of a model that was put together of several objects.
void add_composed(Object& object, const Json& tree, int64_t replicas, const Part& uri,
                  Draft& draft) {
  Object composed(tree);
  const size_t before = draft.models.size();
  const Part pod = composed["spec"]["template"];
  add_pod(composed, pod["spec"], pod["metadata"], replicas, draft);
  for (const Object::Left& left : composed.left()) draft.leave(object.label(), left.path, left.why);
  if (draft.models.size() == before) return;
  Entry& entry = draft.models.back();
  Entry fresh;
  fresh.object = entry.object;
  read_uri(uri.text(), fresh, object, uri);
  if (object.annotation("aictl.dev/source").empty() && fresh.fields.contains("source"))
    entry.fields["source"] = fresh.fields["source"];
  if (entry.weights.empty()) entry.weights = fresh.weights;
  const Json& name = entry.fields["name"];
  if (!name.is_string() || name.get_ref<const std::string&>().starts_with('/'))
    entry.fields["name"] = entry.object;
}

Json wrapped(Object& object, const Json& pod) {
  Json tree = Json::object();
  tree["kind"] = object.kind();
  tree["metadata"] = object["metadata"].tree();
  tree["spec"]["template"]["spec"] = pod;
  return tree;
}

void drop(Json& tree, std::initializer_list<const char*> keys) {
  if (tree.is_object())
    for (const char* key : keys) tree.erase(key);
}

}  // namespace

void add_runtime(Object& object, Draft& draft) {
  draft.runtimes[object.name()] = &object;
  for (const Part& container : object["spec"]["containers"].items()) container.take();
  object.take("");
}

void add_inference_service(Object& object, Draft& draft) {
  const Part predictor = object["spec"]["predictor"], model = predictor["model"];
  const Part uri = model["storageUri"];
  const int64_t least = std::max<int64_t>(predictor["minReplicas"].integer().value_or(1), 0);
  const int64_t most = predictor["maxReplicas"].integer().value_or(0);
  if (most > least) draft.scales[object.name()] = {least, most};
  const std::string format = model["modelFormat"]["name"].text();
  const std::string runtime_name = model["runtime"].text();
  Json pod = predictor.tree();
  if (!pod.is_object()) return object.leave("/spec", "it has no predictor");
  drop(pod, {"model", "minReplicas", "maxReplicas", "autoScaling", "labels", "annotations",
             "scaleMetric", "scaleTarget", "containerConcurrency", "timeout"});
  if (model) {
    const auto runtime = draft.runtimes.find(runtime_name);
    const bool known = runtime != draft.runtimes.end();
    const Part spec = known ? (*runtime->second)["spec"] : Part();
    const Json own = model.tree();
    Json container = composed_container(spec.tree(), own);
    append(spec.tree(), "volumes", pod);
    if (!known && (format == "huggingface" || format == "vllm")) {
      container["command"] = Json::array({"vllm", "serve"});
      if (uri) container["args"].insert(container["args"].begin(), "/mnt/models");
    } else if (!known) {
      return object.leave("/spec/predictor/model",
                          runtime_name.empty()
                              ? fmt::format("models of the format '{}' are not served here", format)
                              : fmt::format("its ServingRuntime '{}' is not here", runtime_name));
    }
    pod["containers"] = Json::array();
    pod["containers"].push_back(std::move(container));
  }
  const Json tree = wrapped(object, pod);
  add_composed(object, tree, least, uri, draft);
  for (const char* part : {"transformer", "explainer"})
    if (object["spec"][part]) object["spec"][part].leave("the spec has models alone");
}

void add_llm_service(Object& object, Draft& draft) {
  const Part spec = object["spec"], model = spec["model"];
  draft.targets["kserve"]["mode"] = "llm";
  Json pod = spec["template"].tree();
  if (!pod.is_object()) pod = Json::object();
  Json container = composed_container(pod, Json());
  Json words = Json::array({"vllm", "serve", "/mnt/models"}), env = Json::array();
  const std::string name = model["name"].text();
  for (const auto& [flag, part] :
       {std::pair("--served-model-name", model["name"]),
        std::pair("--tensor-parallel-size", spec["parallelism"]["tensor"])})
    if (const std::string value = part.text(); !value.empty())
      words.push_back(flag), words.push_back(value);
  if (is_list(container, "env"))
    for (const Json& variable : container["env"]) {
      const bool more =
          variable.is_object() && variable.value("name", Json()) == "VLLM_ADDITIONAL_ARGS";
      if (!more || !variable.contains("value") || !variable["value"].is_string()) {
        env.push_back(variable);
        continue;
      }
      for (const std::string& word : shell_words(variable["value"].get_ref<const std::string&>()))
        words.push_back(word);
    }
  if (is_list(container, "args"))
    for (const Json& word : container["args"]) words.push_back(word);
  container["command"] = std::move(words);
  container["args"] = Json::array();
  container["env"] = std::move(env);
  pod["containers"] = Json::array();
  pod["containers"].push_back(std::move(container));
  const int64_t replicas = std::max<int64_t>(spec["replicas"].integer().value_or(1), 0);
  for (const char* key : {"router", "labels", "parallelism"})
    if (spec[key]) spec[key].take();
  if (spec["worker"]) spec["worker"].leave("what spans nodes is worked out from placement");
  add_composed(object, wrapped(object, pod), replicas, model["uri"], draft);
}

void add_model_cache(Object& object, Draft& draft) {
  draft.targets["kserve"]["mode"] = "cache";
  object.take("");
}

namespace {

void read_engine(const Json& engine, Json& fields) {
  if (!engine.is_object()) return;
  for (const auto& entry : engine.items()) {
    const Json& value = entry.value();
    std::string flag = "--" + entry.key();
    std::replace(flag.begin() + 2, flag.end(), '_', '-');
    const std::string text = value.is_string() ? value.get<std::string>() : dump_json(value);
    if (flag == "--gpu-memory-utilization" && text == "0.9") continue;
    if (take_vllm_flag(flag, text, fields) || value == false) continue;
    fields["args"].push_back(flag);
    if (value != true) fields["args"].push_back(text);
  }
}

const Json& at(const Json& tree, std::initializer_list<const char*> keys) {
  static const Json nothing;
  const Json* node = &tree;
  for (const char* key : keys) {
    if (!node->is_object() || !node->contains(key)) return nothing;
    node = &(*node)[key];
  }
  return *node;
}

int64_t whole(const Json& value, int64_t otherwise) {
  return Part(nullptr, &value, "").integer().value_or(otherwise);
}

void set_scale(const Json& config, Json& fields) {
  const Json& deployment = at(config, {"deployment_config"});
  const Json& bounds = at(deployment, {"autoscaling_config"});
  const int64_t least = bounds.is_object() ? whole(at(bounds, {"min_replicas"}), 1)
                                           : whole(at(deployment, {"num_replicas"}), 1);
  const int64_t most = whole(at(bounds, {"max_replicas"}), least);
  fields["replicas"] = least;
  if (most > least) fields["max_replicas"] = most;
}

// A model of Ray Serve LLM.
void add_llm_config(Object& object, const Json& config, const Entry& worker, int64_t workers,
                    Draft& draft) {
  Entry entry = worker;
  const Json& loading = at(config, {"model_loading_config"});
  const Json &id = at(loading, {"model_id"}), &source = at(loading, {"model_source"});
  entry.fields["engine"] = "vllm";
  if (id.is_string()) entry.fields["name"] = id;
  if (source.is_string() || id.is_string())
    entry.fields["source"] =
        source_of((source.is_string() ? source : id).get_ref<const std::string&>());
  read_engine(at(config, {"engine_kwargs"}), entry.fields);
  set_scale(config, entry.fields);
  if (const Json& type = at(config, {"accelerator_type"}); type.is_string())
    entry.gpu = type.get<std::string>();
  const int64_t replicas = std::max<int64_t>(1, entry.fields["replicas"].get<int64_t>());
  if (workers > replicas && workers % replicas == 0)
    entry.hosts = std::min<int64_t>(workers / replicas, 10000);
  read_annotations(object, entry);
  if (entry.fields.contains("source")) draft.models.push_back(std::move(entry));
}

// What the pods of a group of workers say; nothing of their command line: Ray starts them.
Entry read_workers(Object& object, const Part& cluster, Draft& draft, Process& process) {
  Entry entry;
  entry.object = object.name();
  entry.label = object.label();
  const std::string version = cluster["rayVersion"].text();
  if (!version.empty()) draft.targets["kuberay"]["ray_version"] = version;
  cluster["headGroupSpec"].take();
  const std::vector<Part> groups = cluster["workerGroupSpecs"].items();
  for (size_t i = 1; i < groups.size(); ++i) groups[i].leave("workers of the spec are of one kind");
  if (groups.empty()) return entry;
  const Part pod = groups[0]["template"]["spec"];
  read_pod(object, pod, draft, entry);
  if (const Part main = main_container(pod)) {
    process = read_process(main);
    entry.gpus = std::max(entry.gpus, process.gpus);
    entry.cpus = process.cpus;
    entry.memory = process.memory;
    if (!process.image.empty()) draft.targets["kuberay"]["image"] = process.image;
  }
  entry.queue = object.label_value("kueue.x-k8s.io/queue-name");
  if (entry.queue.empty())
    entry.queue =
        groups[0]["template"]["metadata"]["annotations"]["scheduling.volcano.sh/queue-name"].text();
  for (const char* key :
       {"rayStartParams", "groupName", "minReplicas", "maxReplicas", "numOfHosts"})
    if (groups[0][key]) groups[0][key].take();
  groups[0]["template"]["metadata"].take();
  if (cluster["enableInTreeAutoscaling"]) cluster["enableInTreeAutoscaling"].take();
  return entry;
}

}  // namespace

void add_ray_service(Object& object, Draft& draft) {
  const Part spec = object["spec"], cluster = spec["rayClusterConfig"];
  auto config = parse_yaml(spec["serveConfigV2"].text());
  if (!config) return spec["serveConfigV2"].leave("it is no YAML");
  Process process;
  const Entry worker = read_workers(object, cluster, draft, process);
  const auto groups = cluster["workerGroupSpecs"].items();
  const int64_t workers = groups.empty() ? 1 : groups[0]["replicas"].integer().value_or(1);
  bool any = false;
  if (const Json& applications = at(config->tree, {"applications"}); applications.is_array())
    for (const Json& application : applications)
      if (const Json& models = at(application, {"args", "llm_configs"}); models.is_array())
        for (const Json& model : models)
          any = true, add_llm_config(object, model, worker, workers, draft);
  if (!any) spec["serveConfigV2"].leave("it has no llm_configs of Ray Serve LLM");
}

void add_ray_job(Object& object, Draft& draft) {
  const Part spec = object["spec"], cluster = spec["rayClusterSpec"];
  Process process;
  Entry entry = read_workers(object, cluster, draft, process);
  entry.fields["name"] = object.name();
  entry.fields["command"] = shell_words(spec["entrypoint"].text());
  read_environment(process, draft, entry);
  if (entry.fields.contains("models") && entry.fields["models"].size() == 1)
    entry.fields["model"] = entry.fields["models"].front();
  for (const char* key : {"models", "state", "topics"}) entry.fields.erase(key);
  const auto groups = cluster["workerGroupSpecs"].items();
  entry.fields["parallelism"] =
      std::max<int64_t>(groups.empty() ? 1 : groups[0]["replicas"].integer().value_or(1), 1);
  entry.fields["retries"] = spec["backoffLimit"].integer().value_or(0);
  if (entry.gpus > 0) entry.fields["gpus"] = entry.gpus;
  if (entry.cpus > 0) entry.fields["cpus"] = entry.cpus;
  if (entry.memory > 0) entry.fields["memory"] = bytes_text(entry.memory);
  if (!entry.queue.empty()) entry.fields["queue"] = entry.queue;
  if (spec["suspend"]) spec["suspend"].take();
  draft.jobs.push_back(std::move(entry));
}

}  // namespace aictl::platform
