// Which port each process listens on: the one it wishes for where that can be, else a free one.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/platform/run/local/book.hpp"
#include "core/plugin/workload.hpp"

namespace aictl::platform {

/// How the machine answers about ports; tests have their own.
struct PortTable {
  std::function<bool(int port)> is_free;
  std::function<int()> any_free;               // 0: none
  std::function<std::string(int port)> owner;  // empty: nobody is known
};

/// One process of a workload.
struct Instance {
  std::string name;
  const Workload* workload = nullptr;
  NamedPorts ports;
};

struct PortChoice {
  bool free = false;  // take whatever is free, wishes apart
  bool taken =
      false;  // a fixed port that is taken is a note, not an error: nothing will be started
};

/// Fills in the ports of `instances`. A port is fixed when it is a listener of the gateway, the
/// first of a workload that is one process, or one that the process is not told by its words;
/// others move out of the way. Notes go to `notes`. Errors: kConflict naming each fixed port that
/// is taken, and by whom; kDataRefused when two want one port and neither can move;
/// kResourceExhausted.
Result<void> choose_ports(std::vector<Instance>& instances, const PortChoice& choice,
                          const PortTable& table, std::vector<std::string>& notes);

}  // namespace aictl::platform
