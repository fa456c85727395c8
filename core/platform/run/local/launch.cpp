#include "core/platform/run/local/launch.hpp"

#include <unistd.h>

#include <fmt/format.h>

#include "core/platform/run/state/processes.hpp"

extern char** environ;

namespace aictl::platform {
namespace {

Json launch_json(const Launch& launch, const std::vector<Launch>& all) {
  Json env = Json::object(), secrets = Json::object(), ports = Json::object(),
       mounts = Json::object(), needs = Json::array();
  for (const auto& [name, value] : launch.environment) env[name] = value;
  for (const SecretVariable& secret : launch.secrets)
    secrets[secret.variable] = {{"secret", secret.secret},
                                {"key", secret.key},
                                {"from", secret.origin.empty() ? Json() : Json(secret.origin)}};
  for (const auto& [name, port] : launch.ports) ports[name] = port;
  for (const auto& [name, path] : launch.paths) mounts[name] = path;
  for (const size_t need : launch.needs) needs.push_back(all[need].name);
  return {{"name", launch.name},
          {"workload", launch.workload},
          {"program", launch.program},
          {"argv", launch.argv},
          {"env", env},
          {"secrets", secrets},
          {"ports", ports},
          {"url", launch.url.empty() ? Json() : Json(launch.url)},
          {"health", launch.startup ? Json(launch.startup->url + launch.startup->path) : Json()},
          {"mounts", mounts},
          {"needs", needs},
          {"startup_seconds", launch.startup_seconds},
          {"shutdown_seconds", launch.shutdown_seconds}};
}

}  // namespace

std::vector<std::string> environment_of(const Launch& launch, const std::string& state_folder) {
  std::vector<std::string> all;
  const auto set = [&](std::string_view name, std::string_view value) {
    const std::string start = fmt::format("{}=", name);
    std::erase_if(all, [&](const std::string& each) { return each.starts_with(start); });
    all.push_back(fmt::format("{}{}", start, value));
  };
  for (char** variable = environ; *variable; ++variable) all.emplace_back(*variable);
  for (const auto& [name, value] : launch.environment) set(name, value);
  for (const SecretVariable& secret : launch.secrets)
    if (!secret.origin.empty()) set(secret.variable, secret.value);
  set(kMark, mark_of(launch.name, state_folder));
  return all;
}

Json local_plan_json(const LocalPlan& plan) {
  Json workloads = Json::array(), left_out = Json::array();
  for (const Launch& launch : plan.launches)
    workloads.push_back(launch_json(launch, plan.launches));
  for (const LeftOut& left : plan.left_out)
    left_out.push_back({{"name", left.name}, {"why", left.why}});
  return {{"platform", plan.platform}, {"file", plan.file},    {"folder", plan.folder},
          {"workloads", workloads},    {"left_out", left_out}, {"notes", plan.notes}};
}

}  // namespace aictl::platform
