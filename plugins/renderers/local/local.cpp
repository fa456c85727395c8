#include "plugins/renderers/local/local.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/platform/generate/cluster/cluster.hpp"
#include "core/platform/generate/render/templates.hpp"
#include "core/platform/spec/names.hpp"
#include "core/topology/topology.hpp"
#include "core/value/yaml_write.hpp"
#include "plugins/renderers/local/addresses.hpp"

namespace aictl::renderers {
namespace {

using platform::PlatformPlan;

struct LocalTarget {
  const char* name;
  const char* description;
  Scene scene;
};

constexpr LocalTarget kTargets[] = {
    {"compose", "a file for Docker Compose, on one machine", Scene::kCompose},
    {"quadlet", "containers as systemd units, by Podman", Scene::kQuadlet},
    {"systemd", "processes as systemd units, bound to cores and memory", Scene::kSystemd},
};

// A word of ExecStart= or Exec=: quoted, with the marks of specifiers and variables doubled.
std::string unit_word(const std::string& text) {
  std::string quoted;
  for (const char c : text) {
    if (c == '%' || c == '$') quoted += c;
    if (c == '"' || c == '\\') quoted += '\\';
    if (c == '\n')
      quoted += "\\n";
    else
      quoted += c;
  }
  const bool plain = !text.empty() && text.find_first_of(" \t\n\"'\\;#") == text.npos;
  return plain ? quoted : '"' + quoted + '"';
}

std::string doubled_dollars(std::string text) {
  for (size_t at = 0; (at = text.find('$', at)) != text.npos; at += 2) text.insert(at, 1, '$');
  return text;
}

// The NUMA node a process is bound to: models take turns, all else is left to the kernel.
Json binding_of(const PlatformPlan& plan, const Workload& w) {
  Json binding = {{"cpus", ""}, {"node", ""}};
  std::vector<const topology::Object*> nodes;
  for (const auto* each : topology::objects_of(plan.topology, topology::ObjectType::kNuma))
    if (each->cpuset.count() > 0) nodes.push_back(each);
  if (nodes.size() < 2 || w.component != Component::kModel) return binding;
  size_t turn = 0;
  for (const Workload& each : plan.workloads) {
    if (&each == &w) break;
    turn += each.component == Component::kModel ? 1 : 0;
  }
  const topology::Object& node = *nodes[turn % nodes.size()];
  if (w.resources.cpus > node.cpuset.count() || w.resources.memory > node.bytes) return binding;
  return {{"cpus", node.cpuset.list()}, {"node", fmt::format("{}", node.os_index)}};
}

Json mounts_of(const LocalAddresses& book, const Workload& w) {
  Json mounts = Json::array();
  for (const Mount& mount : w.mounts) {
    constexpr const char* kKinds[] = {"model", "state", "scratch", "memory", "config", "secret"};
    mounts.push_back({{"name", mount.name},
                      {"kind", kKinds[static_cast<int>(mount.kind)]},
                      {"path", mount.path},
                      {"place", book.place(w, mount)},
                      {"source", mount.source},
                      {"file", mount.file},
                      {"text", spell(mount.content, w, book)},
                      {"mebi", std::max<uint64_t>(mount.bytes >> 20, 64)}});
  }
  return mounts;
}

Json workload_of(const PlatformPlan& plan, const LocalAddresses& book, const Workload& w) {
  Json v = {{"name", w.name}, {"image", w.image}, {"needs", w.needs}, {"replicas", w.replicas}};
  v["words"] = Json::array();
  v["program"] = "";
  v["rest"] = "";
  for (const Word& word : w.argv) {
    const std::string text = spell(word, w, book);
    v["words"].push_back(doubled_dollars(text));
    if (v["program"] == "")
      v["program"] = unit_word(text);
    else
      v["rest"] = v["rest"].get<std::string>() + " " + unit_word(text);
  }
  v["env"] = Json::array();
  for (const EnvironmentVariable& each : w.environment) {
    const std::string value = spell(each.value, w, book);
    v["env"].push_back({{"name", each.name},
                        {"value", doubled_dollars(value)},
                        {"unit", unit_word(each.name + "=" + value)},
                        {"secret", each.secret},
                        {"key", each.key}});
  }
  v["ports"] = Json::array();
  for (const Port& each : w.ports)
    v["ports"].push_back({{"name", each.name},
                          {"number", book.port(w, each.name)},
                          {"published", book.published(w, each.name)},
                          {"tls", each.tls}});
  v["published"] = w.component == Component::kGateway || w.component == Component::kModel;
  v["mounts"] = mounts_of(book, w);
  v["gpus"] = w.resources.gpus;
  v["cpus"] = w.resources.cpus;
  v["memory_mebi"] = std::max<uint64_t>(w.resources.memory >> 20, 64);
  v["health"] = w.ready ? w.ready->path : w.startup ? w.startup->path : "";
  v["startup_seconds"] = w.startup_seconds;
  v["stop_seconds"] = w.linger_seconds + w.shutdown_seconds + 5;
  v["restart"] = w.restart == Restart::kAlways  ? "always"
                 : w.restart == Restart::kNever ? "no"
                                                : "on-failure";
  v["binding"] = binding_of(plan, w);
  return v;
}

class LocalRenderer : public Renderer {
 public:
  explicit LocalRenderer(const LocalTarget& target) : target_(target) {}

  Result<Rendering> render(const RenderRequest& request) const override {
    const PlatformPlan& plan = request.plan;
    const LocalAddresses book(plan, target_.scene);
    Json v = {{"platform", plan.platform.name}, {"workloads", Json::array()}};
    for (const Workload& w : plan.workloads) {
      if (w.nodes > 1)
        return Error{
            ErrorCode::kUnsupported,
            fmt::format("'{}' spans {} nodes, and {} knows one", w.name, w.nodes, target_.name),
            "generate kubernetes leaderworkerset instead"};
      v["workloads"].push_back(workload_of(plan, book, w));
    }
    Rendering rendering;
    auto written = target_.scene == Scene::kCompose ? write_compose(request, v, rendering)
                                                    : write_units(request, v, rendering);
    if (!written) return std::move(written).error();
    add_texts(v, rendering);
    for (const Json& w : v["workloads"])
      for (const Json& mount : w["mounts"])
        if (mount["kind"] == "secret")
          rendering.notes.push_back(fmt::format("the files of the secret '{}' have to be in {}",
                                                mount["source"].get<std::string>(),
                                                mount["place"].get<std::string>()));
        else if (mount["kind"] == "model")
          rendering.notes.push_back(fmt::format("weights of '{}' have to be in {}",
                                                mount["source"].get<std::string>(),
                                                mount["place"].get<std::string>()));
    return rendering;
  }

 private:
  Result<void> write_compose(const RenderRequest& request, Json v, Rendering& out) const {
    Json volumes = Json::array();
    for (const Json& w : v["workloads"])
      for (const Json& mount : w["mounts"])
        if (mount["kind"] == "state")
          volumes.push_back(w["name"].get<std::string>() + "-" + mount["name"].get<std::string>());
    v["volumes"] = std::move(volumes);
    auto objects = platform::render_objects(request.templates, "compose/compose.yaml.j2", v);
    if (!objects) return std::move(objects).error();
    for (const RenderedObject& each : *objects)
      out.files.push_back({"compose.yaml", write_yaml(each.object)});
    return {};
  }

  Result<void> write_units(const RenderRequest& request, Json v, Rendering& out) const {
    const bool quadlet = target_.scene == Scene::kQuadlet;
    const auto platform = v["platform"].get<std::string>();
    const Json workloads = v["workloads"];  // a copy: a new variable moves the old ones
    for (const Json& w : workloads) {
      v["w"] = w;
      auto text = platform::render_template(
          request.templates,
          quadlet ? "quadlet/workload.container.j2" : "systemd/workload.service.j2", v);
      if (!text) return std::move(text).error();
      const char* kind = quadlet ? "container" : "service";
      out.files.push_back({fmt::format("{}-{}.{}", platform, w["name"].get<std::string>(), kind),
                           *std::move(text)});
    }
    if (quadlet)
      out.files.push_back(
          {platform + ".network", fmt::format("[Network]\nNetworkName={}\n", platform)});
    return {};
  }

  // Files that are mounted; a process finds them below /etc.
  static void add_texts(const Json& v, Rendering& out) {
    for (const Json& w : v["workloads"])
      for (const Json& mount : w["mounts"])
        if (mount["kind"] == "config")
          out.files.push_back({fmt::format("config/{}/{}", w["name"].get<std::string>(),
                                           mount["file"].get<std::string>()),
                               mount["text"].get<std::string>()});
  }

  const LocalTarget& target_;
};

}  // namespace
}  // namespace aictl::renderers

namespace aictl {

void add_local_renderers(Plugins& plugins) {
  for (const renderers::LocalTarget& target : renderers::kTargets)
    plugins.renderers.add(target.name, target.description,
                          [&target] { return std::make_unique<renderers::LocalRenderer>(target); });
}

}  // namespace aictl
