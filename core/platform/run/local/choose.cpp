#include "core/platform/run/local/choose.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "core/base/nearest.hpp"

namespace aictl::platform {
namespace {

const Workload* find(const std::vector<Workload>& workloads, std::string_view name) {
  for (const Workload& each : workloads)
    if (each.name == name) return &each;
  return nullptr;
}

// Why it cannot run here; empty when it can.
std::string obstacle(const Workload& w, const std::vector<std::string>& services) {
  if (!w.service.empty() &&
      std::find(services.begin(), services.end(), w.service) == services.end())
    return fmt::format("this build has no service '{}'", w.service);
  if (w.argv.empty())
    return fmt::format("it is a container ({}) without a command, and `up` runs commands",
                       w.image.empty() ? "no image" : w.image);
  if (w.nodes > 1) return fmt::format("a replica spans {} nodes, and this is one", w.nodes);
  if (w.replicas == 0) return "it has 0 replicas";
  return "";
}

Result<std::set<std::string>> wanted(const std::vector<Workload>& workloads,
                                     const std::vector<std::string>& names) {
  std::set<std::string> all;
  std::vector<std::string> open = names;
  if (names.empty())
    for (const Workload& each : workloads) open.push_back(each.name);
  while (!open.empty()) {
    const std::string name = open.back();
    open.pop_back();
    if (!all.insert(name).second) continue;
    const Workload* workload = find(workloads, name);
    if (!workload) {
      std::vector<std::string_view> known;
      for (const Workload& each : workloads) known.push_back(each.name);
      std::string hint = did_you_mean(name, known);
      if (hint.empty()) hint = fmt::format("there are: {}", fmt::join(known, ", "));
      return Error{ErrorCode::kNotFound, fmt::format("no workload '{}'", name), hint};
    }
    open.insert(open.end(), workload->needs.begin(), workload->needs.end());
  }
  return all;
}

// Those that need what is left out are left out too, and in turn who needs them: the plan has them
// in the order of their needs.
void leave_out_who_needs(std::map<std::string, std::string>& why, Choice& choice) {
  std::erase_if(choice.kept, [&](const Workload* each) {
    for (const std::string& need : each->needs)
      if (const auto missing = why.find(need); missing != why.end()) {
        const std::string reason =
            fmt::format("it needs '{}', which cannot run here: {}", need, missing->second);
        why[each->name] = reason;
        choice.left_out.push_back({each->name, reason});
        return true;
      }
    return false;
  });
}

}  // namespace

int local_replicas(const Workload& w) {
  const bool single = w.component == Component::kGateway || w.component == Component::kState ||
                      w.component == Component::kEvents;
  return single ? std::min(w.replicas, 1) : w.replicas;
}

Result<Choice> choose_workloads(const std::vector<Workload>& workloads,
                                const std::vector<std::string>& names,
                                const std::vector<std::string>& services, bool dry_run) {
  auto chosen = wanted(workloads, names);
  if (!chosen) return std::move(chosen).error();
  Choice choice;
  std::map<std::string, std::string> why;
  for (const Workload& each : workloads) {
    if (!chosen->contains(each.name)) continue;
    std::string reason = obstacle(each, services);
    if (reason.empty()) {
      choice.kept.push_back(&each);
      continue;
    }
    if (std::find(names.begin(), names.end(), each.name) != names.end())
      return Error{ErrorCode::kUnsupported,
                   fmt::format("'{}' cannot run here: {}", each.name, reason), ""};
    why[each.name] = reason;
    choice.left_out.push_back({each.name, std::move(reason)});
  }
  if (dry_run) {
    leave_out_who_needs(why, choice);
    return choice;
  }
  for (const Workload* each : choice.kept)
    for (const std::string& need : each->needs)
      if (const auto missing = why.find(need); missing != why.end())
        return Error{ErrorCode::kUnsupported,
                     fmt::format("'{}' needs '{}', which cannot run here: {}", each->name, need,
                                 missing->second),
                     "name what should run without it: aictl up NAME..."};
  return choice;
}

}  // namespace aictl::platform
