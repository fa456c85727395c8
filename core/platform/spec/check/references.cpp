#include "core/platform/spec/check/references.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <span>

#include <fmt/format.h>

#include "core/base/nearest.hpp"
#include "core/placement/model/families.hpp"
#include "core/platform/spec/names.hpp"

namespace aictl::platform {
namespace {

using Words = std::vector<std::string_view>;

const Spot kTop{"", ""};

// Names that something in the spec may be called by, and whether a name is one of them.
class Known {
 public:
  void add(std::string_view name) {
    if (seen_.insert(name).second) words_.push_back(name);
  }
  bool has(std::string_view name) const { return seen_.contains(name); }
  std::string hint(std::string_view name, std::string_view nothing) const {
    if (words_.empty()) return std::string(nothing);
    // Looking for the nearest of thousands, for each of many slips, would take its time.
    const std::span<const std::string_view> some(words_.data(),
                                                 std::min<size_t>(words_.size(), 256));
    std::string near = did_you_mean(name, some);
    if (!near.empty()) return near;
    const Words first(some.begin(), some.begin() + long(std::min<size_t>(some.size(), 10)));
    return fmt::format("there are {}", fmt::join(first, ", "));
  }

 private:
  std::set<std::string_view> seen_;
  Words words_;
};

class Checker {
 public:
  Checker(const Platform& platform, Mistakes& mistakes) : p_(platform), mistakes_(mistakes) {
    for (const ModelEntry& m : p_.models) models_.add(m.name), asked_.add(m.name);
    for (const Provider& x : p_.gateway.providers) providers_.add(x.name);
    for (const Route& r : p_.gateway.routes) asked_.add(r.model);
    for (const Queue& q : p_.queues) queues_.add(q.name);
    for (const Topic& t : p_.events.topics) topics_.add(t.name);
    for (const NodePool& pool : p_.placement.pools) pools_.add(pool.name);
    for (const ModelEntry& m : p_.models) workloads_.add(m.name);
    for (const Agent& a : p_.agents) workloads_.add(a.name);
    for (const Job& j : p_.jobs) workloads_.add(j.name);
    if (p_.gateway.enabled) workloads_.add("gateway");
    if (p_.state.enabled) workloads_.add("state");
    if (p_.events.enabled) workloads_.add("events");
  }

  void run() {
    check_workload_names();
    for (size_t i = 0; i < p_.models.size(); ++i)
      check_model(p_.models[i], kTop.field("models").item(i));
    if (p_.gateway.enabled) check_gateway(kTop.field("gateway"));
    check_stores();
    for (size_t i = 0; i < p_.jobs.size(); ++i) check_job(p_.jobs[i], kTop.field("jobs").item(i));
    for (size_t i = 0; i < p_.agents.size(); ++i)
      check_agent(p_.agents[i], kTop.field("agents").item(i));
    unique(p_.queues, kTop.field("queues"), "queue");
    check_pools(kTop.field("placement").field("pools"));
    check_cycles();
    if (p_.models.empty() && p_.agents.empty() && p_.jobs.empty() && !p_.gateway.enabled &&
        !p_.state.enabled && !p_.events.enabled)
      add(kTop, "required", "models is missing: nothing is left to run",
          "such as models: [{source: model.gguf}]");
  }

 private:
  void add(const Spot& spot, std::string_view rule, std::string_view message,
           std::string_view hint = "") {
    mistakes_.add(spot, fmt::format("spec/{}", rule), message, hint);
  }

  template <typename T>
  void unique(const std::vector<T>& items, const Spot& spot, std::string_view what) {
    std::set<std::string_view> seen;
    for (size_t i = 0; i < items.size(); ++i)
      if (!items[i].name.empty() && !seen.insert(items[i].name).second)
        add(spot.item(i).field("name"), "duplicate",
            fmt::format("a second {} '{}'", what, items[i].name), "names have to differ");
  }

  void refer(const Known& known, std::string_view name, const Spot& spot, std::string_view what,
             std::string_view nothing) {
    if (name.empty() || known.has(name) || mistakes_.full()) return;
    add(spot, "reference", fmt::format("no {} '{}'", what, name), known.hint(name, nothing));
  }

  void refer(const Known& known, const std::vector<std::string>& names, const Spot& spot,
             std::string_view what, std::string_view nothing) {
    for (size_t i = 0; i < names.size(); ++i) refer(known, names[i], spot.item(i), what, nothing);
  }

  // Workloads share one space of names, into which models' names are squeezed.
  void check_workload_names() {
    std::map<std::string, std::string> taken = {{"gateway", "the gateway"},
                                                {"state", "the state store"},
                                                {"events", "the broker of events"}};
    const auto take = [&](const std::string& name, const Spot& spot, std::string_view what) {
      if (name.empty()) return;
      const auto [at, fresh] = taken.try_emplace(slug(name), fmt::format("{} '{}'", what, name));
      if (!fresh)
        add(spot.field("name"), "duplicate",
            fmt::format("{} '{}' and {} would both be the workload '{}'", what, name, at->second,
                        at->first),
            "give one of them another name");
    };
    for (size_t i = 0; i < p_.models.size(); ++i)
      take(p_.models[i].name, kTop.field("models").item(i), "model");
    for (size_t i = 0; i < p_.agents.size(); ++i)
      take(p_.agents[i].name, kTop.field("agents").item(i), "agent");
    for (size_t i = 0; i < p_.jobs.size(); ++i)
      take(p_.jobs[i].name, kTop.field("jobs").item(i), "job");
  }

  void check_model(const ModelEntry& m, const Spot& spot) {
    if (m.max_replicas > 0 && m.max_replicas < m.replicas)
      add(spot.field("max_replicas"), "range",
          fmt::format("max_replicas {} is less than replicas {}", m.max_replicas, m.replicas));
    refer(pools_, m.pool, spot.field("pool"), "pool", "placement.pools has none");
    refer(workloads_, m.needs, spot.field("needs"), "workload", "");
    unique(m.adapters, spot.field("adapters"), "adapter");
    if (m.engine == ModelEngine::kAictl)
      check_aictl(m, spot);
    else if (m.device == ModelDevice::kCpu)
      add(spot.field("device"), "engine", "device cpu is not for vllm here", "engine: aictl");
    check_source(m, spot);
    check_arguments(m.args, spot.field("args"));
  }

  // What aictl's own engine does not do, or `aictl serve` has no flag for.
  void check_aictl(const ModelEntry& m, const Spot& spot) {
    const auto vllm = [&](bool wrong, std::string_view field, std::string_view what) {
      if (wrong)
        add(spot.field(field), "engine", fmt::format("{} is not for engine aictl", what),
            "engine: vllm");
    };
    vllm(!m.adapters.empty(), "adapters", "an adapter");
    vllm(!m.kv_type.empty() && m.kv_type != "f16", "kv_type", fmt::format("kv_type {}", m.kv_type));
    vllm(m.tensor_parallel > 1, "tensor_parallel",
         fmt::format("tensor_parallel {}", m.tensor_parallel));
    if (m.source.starts_with("hf://") && !m.source.ends_with(".gguf"))
      add(spot.field("source"), "engine",
          fmt::format("'{}' is a repository, and engine aictl reads one .gguf file", m.source),
          "name the file, hf://org/model/file.gguf, or engine: vllm");
  }

  void check_source(const ModelEntry& m, const Spot& spot) {
    if (!m.source.starts_with("hf://")) {
      if (!m.revision.empty())
        add(spot.field("revision"), "source",
            fmt::format("revision '{}' is of a hub's repository", m.revision),
            "source: hf://org/model");
      return;
    }
    if (!m.revision.empty() && !kRevisionRule.keeps(m.revision))
      add(spot.field("source"), "revision",
          fmt::format("'{}' is not {}", m.revision, kRevisionRule.what));
    const std::string_view rest = std::string_view(m.source).substr(5);
    const size_t colon = rest.find(':');
    if (colon != rest.npos && !m.revision.empty())
      add(spot.field("revision"), "source",
          fmt::format("revision '{}' is not the source's '{}'", m.revision, rest.substr(colon + 1)),
          "leave one of them out");
    const std::string_view path = rest.substr(0, colon);
    const size_t slash = path.find('/');
    if (slash == path.npos || slash == 0 || slash + 1 == path.size() ||
        path.find("..") != path.npos || path.find("//") != path.npos)
      add(spot.field("source"), "source", fmt::format("'{}' names no repository", m.source),
          "hf://org/model, with /file.gguf where one file is meant");
  }

  void check_arguments(const std::vector<std::string>& args, const Spot& spot) {
    for (size_t i = 0; i < args.size(); ++i)
      if (args[i] == "--api-key" || args[i].starts_with("--api-key="))
        add(spot.item(i), "secret", "--api-key would be a credential in clear",
            "keys of clients are the gateway's: gateway.keys_secret");
  }

  void check_gateway(const Spot& spot) {
    const Gateway& g = p_.gateway;
    unique(g.listeners, spot.field("listeners"), "listener");
    std::set<int> ports;
    for (size_t i = 0; i < g.listeners.size(); ++i)
      if (!ports.insert(g.listeners[i].port).second)
        add(spot.field("listeners").item(i).field("port"), "duplicate",
            fmt::format("a second listener at port {}", g.listeners[i].port));
    unique(g.providers, spot.field("providers"), "provider");
    for (size_t i = 0; i < g.providers.size(); ++i)
      if (models_.has(g.providers[i].name))
        add(spot.field("providers").item(i).field("name"), "duplicate",
            fmt::format("'{}' is a model, too", g.providers[i].name),
            "a route could mean either of them");
    Known backends = models_;
    for (const Provider& provider : g.providers) backends.add(provider.name);
    std::set<std::string_view> asked;
    for (size_t i = 0; i < g.routes.size(); ++i) {
      const Spot at = spot.field("routes").item(i);
      if (!asked.insert(g.routes[i].model).second)
        add(at.field("model"), "duplicate",
            fmt::format("a second route of '{}'", g.routes[i].model), "list the backends of one");
      refer(backends, g.routes[i].backends, at.field("backends"), "model or provider",
            "neither models nor providers are there");
    }
  }

  void check_stores() {
    const bool remote =
        p_.state.store == "redis" || p_.state.store == "postgres" || p_.state.store == "mysql";
    if (p_.state.enabled && remote && p_.state.secret.empty())
      add(kTop.field("state"), "required",
          fmt::format("state.secret is missing: {} wants a connection", p_.state.store),
          "secret: NAME of a secret with the key url");
    unique(p_.events.topics, kTop.field("events").field("topics"), "topic");
  }

  void check_environment(const std::map<std::string, EnvironmentValue>& env, const Spot& spot) {
    for (const auto& [name, value] : env) {
      const Spot at = spot.field(name);
      if (value.secret.empty() != value.key.empty())
        add(at, "secret",
            fmt::format("{} has a {} without a {}", name, value.secret.empty() ? "key" : "secret",
                        value.secret.empty() ? "secret" : "key"),
            "write {secret: NAME, key: KEY}");
      else if (!value.secret.empty() && !value.value.empty())
        add(at, "secret", fmt::format("{} has both a value and a secret", name), "leave one out");
      else if (names_secret(name) && !value.value.empty())
        add(at, "secret", fmt::format("{} would be a credential in clear", name),
            "write {secret: NAME, key: KEY}");
    }
  }

  template <typename T>
  void check_process(const T& t, const Spot& spot) {
    if (t.image.empty() && t.command.empty())
      add(spot, "required", "image or command is missing",
          "an image to run in a cluster, a command to run here");
    check_environment(t.env, spot.field("env"));
    refer(workloads_, t.needs, spot.field("needs"), "workload", "");
  }

  void check_job(const Job& job, const Spot& spot) {
    check_process(job, spot);
    refer(queues_, job.queue, spot.field("queue"), "queue", "queues has none");
    refer(asked_, job.model, spot.field("model"), "model", "models has none");
  }

  void check_agent(const Agent& agent, const Spot& spot) {
    check_process(agent, spot);
    refer(asked_, agent.models, spot.field("models"), "model", "models has none");
    if (agent.state && !p_.state.enabled)
      add(spot.field("state"), "reference", "there is no state store", "state: at the top level");
    refer(topics_, agent.topics, spot.field("topics"), "topic", "events.topics has none");
    if (!agent.health.empty() && !kUrlPathRule.keeps(agent.health))
      add(spot.field("health"), "path",
          fmt::format("health '{}' is not {}", agent.health, kUrlPathRule.what));
  }

  void check_pools(const Spot& spot) {
    unique(p_.placement.pools, spot, "pool");
    for (size_t i = 0; i < p_.placement.pools.size(); ++i) {
      const NodePool& pool = p_.placement.pools[i];
      if (!pool.topology.empty() && (!pool.gpu.empty() || pool.gpus > 0 || pool.cpus > 0 ||
                                     pool.memory > 0 || pool.sockets > 0))
        add(spot.item(i).field("topology"), "placement",
            fmt::format("pool '{}' has a capture, and words that describe a node", pool.name),
            "leave gpu, gpus, cpus, memory and sockets out");
      if (pool.topology.empty() && pool.gpus > 0 && pool.gpu.empty())
        add(spot.item(i).field("gpus"), "placement",
            fmt::format("pool '{}' has {} GPUs of no model", pool.name, pool.gpus),
            "gpu: H100 SXM, or what it is");
    }
    if (!p_.placement.topology.empty() && !p_.placement.pools.empty())
      add(kTop.field("placement").field("topology"), "placement",
          "a topology beside pools would not be used", "give it to a pool");
  }

  // Every workload that cannot be ordered waits for another such one, so walking from need to need
  // comes round. Each is walked over once.
  void check_cycles() {
    const std::vector<Needs> nodes = workload_needs(p_);
    std::map<std::string_view, size_t> stuck;
    for (size_t i = 0; i < nodes.size(); ++i) stuck.try_emplace(nodes[i].workload, i);
    for (const size_t i : needs_order(nodes)) stuck.erase(nodes[i].workload);
    std::vector<size_t> walk_of(nodes.size(), 0);  // the walk that came by; 0: none
    for (const auto& [workload, start] : stuck) {
      const size_t walk = start + 1;
      std::vector<size_t> path;
      size_t at = start;
      while (walk_of[at] == 0) {
        walk_of[at] = walk;
        path.push_back(at);
        for (const std::string& need : nodes[at].needs)
          if (const auto next = stuck.find(need); next != stuck.end()) {
            at = next->second;
            break;
          }
      }
      if (walk_of[at] != walk) continue;  // it joins a way that is known
      path.erase(path.begin(), std::ranges::find(path, at));
      std::rotate(path.begin(), std::ranges::min_element(path), path.end());
      std::string round;
      for (const size_t one : path) round += nodes[one].workload + " -> ";
      add(nodes[path.front()].spot, "cycle",
          fmt::format("needs go round: {}{}", round, nodes[path.front()].workload),
          "take one of these needs away");
    }
  }

  const Platform& p_;
  Mistakes& mistakes_;
  Known models_, providers_, asked_, queues_, topics_, pools_, workloads_;
};

}  // namespace

void check_references(const Platform& platform, Mistakes& mistakes) {
  Checker(platform, mistakes).run();
}

}  // namespace aictl::platform
