// Launch: one process of a platform as it runs on this machine: every name a path, every address a
// port.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/plugin/workload.hpp"
#include "core/value/json.hpp"

namespace aictl::platform {

/// A variable whose value is a secret: it goes to the process and nowhere else.
struct SecretVariable {
  std::string variable, secret, key;
  std::string origin;  // "environment", the file's path; empty: it has none, and may
  std::string value;
};

struct HealthCheck {
  std::string url, path;  // "http://127.0.0.1:8000", "/health"
  int period = 10, timeout = 5, failures = 3;
};

struct Launch {
  std::string name;      // of the process: the workload's, with -N when it has several
  std::string workload;  // of the plan
  Component component = Component::kModel;
  std::string program;  // the file that runs
  std::vector<std::string> argv;
  std::vector<std::pair<std::string, std::string>> environment;  // what it gets beside ours
  std::vector<SecretVariable> secrets;
  std::vector<std::pair<std::string, int>> ports;
  std::string url;                                         // its first port's; empty: it has none
  std::vector<std::pair<std::string, std::string>> paths;  // of its mounts, by name
  std::optional<HealthCheck> startup, live;
  Restart restart = Restart::kAlways;
  std::vector<size_t> needs;  // of the local plan's launches
  int startup_seconds = 60, shutdown_seconds = 30;
};

/// A workload of the plan that does not run here, and why.
struct LeftOut {
  std::string name, why;
};

struct LocalPlan {
  std::string platform, file, digest;
  std::string folder;  // the processes start in: the spec's
  std::vector<Launch> launches;
  std::vector<LeftOut> left_out;
  std::vector<std::string> notes;
};

/// What a launch is started with: our own environment, then what it has itself, then the mark of
/// the state's folder; a later one of a name wins.
std::vector<std::string> environment_of(const Launch& launch, const std::string& state_folder);

/// For `up --dry-run`: argv, variables, ports, without the values of secrets.
Json local_plan_json(const LocalPlan& plan);

}  // namespace aictl::platform
