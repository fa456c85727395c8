// Where the workloads of a platform are on one machine.
#pragma once

#include <map>
#include <string>

#include "core/platform/plan/plan.hpp"

namespace aictl::renderers {

/// How workloads stand beside each other: in containers of one network, or as plain processes.
enum class Scene : uint8_t { kCompose, kQuadlet, kSystemd };

class LocalAddresses : public AddressBook {
 public:
  LocalAddresses(const platform::PlatformPlan& plan, Scene scene);

  std::string resolve(const Workload& of, const Reference& reference) const override;
  /// The number a port has here: processes share the machine's, so no two have the same.
  int port(const Workload& of, const std::string& name) const;
  /// The machine's port that a container's is published at.
  int published(const Workload& of, const std::string& name) const;
  /// The folder or file a mount is on this machine.
  std::string place(const Workload& of, const Mount& mount) const;

 private:
  const platform::PlatformPlan& plan_;
  Scene scene_;
  std::map<std::pair<std::string, std::string>, int> ports_, published_;  // by workload and port
};

}  // namespace aictl::renderers
