// LocalBook: names of a platform as addresses and paths of this machine.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/plugin/workload.hpp"

namespace aictl::platform {

using NamedPorts = std::vector<std::pair<std::string, int>>;
using NamedPaths = std::vector<std::pair<std::string, std::string>>;

/// The book of one process. `others`: the first port of each workload of the plan, by name.
class LocalBook final : public AddressBook {
 public:
  LocalBook(const std::map<std::string, int>& others, const NamedPorts& ports,
            const NamedPaths& paths)
      : others_(others), ports_(ports), paths_(paths) {}

  /// A name that nobody has becomes an empty text, or port 0.
  std::string resolve(const Workload& of, const Reference& reference) const override;

 private:
  const std::map<std::string, int>& others_;
  const NamedPorts& ports_;
  const NamedPaths& paths_;
};

/// "http://127.0.0.1:8000".
std::string local_url(int port);

}  // namespace aictl::platform
