#include "plugins/renderers/local/addresses.hpp"

#include <set>

#include <fmt/format.h>

#include "core/platform/spec/names.hpp"

namespace aictl::renderers {

LocalAddresses::LocalAddresses(const platform::PlatformPlan& plan, Scene scene)
    : plan_(plan), scene_(scene) {
  std::set<int> taken;
  for (const Workload& w : plan.workloads)
    for (const Port& port : w.ports) {
      int number = port.number;
      while (!taken.insert(number).second) ++number;
      published_[{w.name, port.name}] = number;
      ports_[{w.name, port.name}] = scene == Scene::kSystemd ? number : port.number;
    }
}

int LocalAddresses::port(const Workload& of, const std::string& name) const {
  if (const auto found = ports_.find({of.name, name}); found != ports_.end()) return found->second;
  return of.ports.empty() ? 0 : ports_.at({of.name, of.ports.front().name});
}

int LocalAddresses::published(const Workload& of, const std::string& name) const {
  return published_.at({of.name, name});
}

std::string LocalAddresses::place(const Workload& of, const Mount& mount) const {
  const std::string& name = plan_.platform.name;
  switch (mount.kind) {
    case Mount::Kind::kModel:
      return fmt::format("/var/lib/aictl/models/{}", platform::slug(mount.source));
    case Mount::Kind::kState:
      return fmt::format("/var/lib/{}-{}/{}", name, of.name, mount.name);
    case Mount::Kind::kConfig:
      return fmt::format("/etc/aictl/{}/{}", name, of.name);
    case Mount::Kind::kSecret:
      return fmt::format("/etc/aictl/{}/secrets/{}", name, mount.source);
    case Mount::Kind::kMemory:
      return "/dev/shm";
    case Mount::Kind::kScratch:
      return "/tmp";
  }
  return mount.path;
}

std::string LocalAddresses::resolve(const Workload& of, const Reference& reference) const {
  const bool process = scene_ == Scene::kSystemd;
  const char* host = process ? "127.0.0.1" : "0.0.0.0";
  switch (reference.kind) {
    case Reference::Kind::kListen:
      return fmt::format("{}:{}", host, port(of, reference.target));
    case Reference::Kind::kHost:
      return host;
    case Reference::Kind::kPort:
      return fmt::format("{}", port(of, reference.target));
    case Reference::Kind::kUrl: {
      const Workload* to = plan_.workload(reference.target);
      if (!to) return {};
      const std::string peer = process                     ? "127.0.0.1"
                               : scene_ == Scene::kQuadlet ? plan_.platform.name + "-" + to->name
                                                           : to->name;
      const bool tls = !to->ports.empty() && to->ports.front().tls;
      return fmt::format("{}://{}:{}", tls ? "https" : "http", peer, port(*to, ""));
    }
    case Reference::Kind::kPath:
      for (const Mount& mount : of.mounts) {
        if (mount.name != reference.target) continue;
        return process ? place(of, mount) : mount.path;
      }
      return {};
  }
  return {};
}

}  // namespace aictl::renderers
