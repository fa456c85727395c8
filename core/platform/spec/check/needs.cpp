// Which workload waits for which.
#include <algorithm>
#include <map>

#include "core/platform/spec/check/references.hpp"
#include "core/platform/spec/names.hpp"

namespace aictl::platform {
namespace {

// Adds the workloads of names as the spec has them; a name that nothing has adds nothing.
class Graph {
 public:
  void node(std::string workload, std::string_view name, Spot spot) {
    named_.try_emplace(std::string(name), workload);
    nodes_.push_back({std::move(workload), std::move(spot), {}});
  }
  void need(size_t node, std::string_view name) {
    const auto found = named_.find(name);
    if (found == named_.end()) return;
    std::vector<std::string>& needs = nodes_[node].needs;
    if (std::ranges::find(needs, found->second) == needs.end()) needs.push_back(found->second);
  }
  void need(size_t node, const std::vector<std::string>& names) {
    for (const std::string& name : names) need(node, name);
  }
  std::vector<Needs> take() && { return std::move(nodes_); }

 private:
  std::vector<Needs> nodes_;
  std::map<std::string, std::string, std::less<>> named_;
};

}  // namespace

std::vector<Needs> workload_needs(const Platform& p) {
  Graph graph;
  const Spot top{"", ""};
  size_t count = 0;
  for (; count < p.models.size(); ++count)
    graph.node(slug(p.models[count].name), p.models[count].name, top.field("models").item(count));
  const auto service = [&](bool enabled, const char* name) {
    if (enabled) graph.node(name, name, top.field(name)), ++count;
  };
  service(p.state.enabled, "state");
  service(p.events.enabled && p.events.broker == "sqlite", "events");
  const size_t gateway = count;
  service(p.gateway.enabled, "gateway");
  const size_t agents = count;
  for (size_t i = 0; i < p.agents.size(); ++i)
    graph.node(slug(p.agents[i].name), p.agents[i].name, top.field("agents").item(i));
  const size_t jobs = agents + p.agents.size();
  for (size_t i = 0; i < p.jobs.size(); ++i)
    graph.node(slug(p.jobs[i].name), p.jobs[i].name, top.field("jobs").item(i));

  for (size_t i = 0; i < p.models.size(); ++i) graph.need(i, p.models[i].needs);
  if (p.gateway.enabled) {
    graph.need(gateway, "state");  // keys and budgets are kept there
    for (const Route& route : p.gateway.routes) graph.need(gateway, route.backends);
  }
  // Whoever asks a model asks the gateway where there is one.
  const auto asks = [&](size_t node, const std::vector<std::string>& models) {
    if (models.empty()) return;
    if (p.gateway.enabled)
      graph.need(node, "gateway");
    else
      graph.need(node, models);
  };
  for (size_t i = 0; i < p.agents.size(); ++i) {
    const Agent& agent = p.agents[i];
    asks(agents + i, agent.models);
    if (agent.state) graph.need(agents + i, "state");
    if (!agent.topics.empty()) graph.need(agents + i, "events");
    graph.need(agents + i, agent.needs);
  }
  for (size_t i = 0; i < p.jobs.size(); ++i) {
    if (!p.jobs[i].model.empty()) asks(jobs + i, {p.jobs[i].model});
    graph.need(jobs + i, p.jobs[i].needs);
  }
  return std::move(graph).take();
}

std::vector<size_t> needs_order(const std::vector<Needs>& nodes) {
  std::map<std::string_view, size_t> index;
  for (size_t i = 0; i < nodes.size(); ++i) index.try_emplace(nodes[i].workload, i);
  std::vector<std::vector<size_t>> waiting(nodes.size());  // for each: who needs it
  std::vector<size_t> missing(nodes.size(), 0);
  for (size_t i = 0; i < nodes.size(); ++i)
    for (const std::string& need : nodes[i].needs)
      if (const auto found = index.find(need); found != index.end())
        waiting[found->second].push_back(i), ++missing[i];
  std::vector<size_t> order, ready;
  for (size_t i = 0; i < nodes.size(); ++i)
    if (missing[i] == 0) ready.push_back(i);
  std::ranges::make_heap(ready, std::greater<>());
  while (!ready.empty()) {  // the first in the spec of those that may come now
    std::ranges::pop_heap(ready, std::greater<>());
    const size_t next = ready.back();
    ready.pop_back();
    order.push_back(next);
    for (const size_t who : waiting[next])
      if (--missing[who] == 0) {
        ready.push_back(who);
        std::ranges::push_heap(ready, std::greater<>());
      }
  }
  return order;
}

}  // namespace aictl::platform
