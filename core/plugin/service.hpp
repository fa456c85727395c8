// Service: a long-running part of a platform, such as the inference server.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/config/schema.hpp"
#include "core/value/json.hpp"

namespace aictl {

struct Plugins;

/// What a running service tells the one who started it. Called on the thread of run().
struct ServiceEvents {
  std::function<void(const Json& plan)> planned;  // before loading: what it is going to use
  std::function<void(const Json& ready)> ready;   // once it can answer: {"event":"ready","url":...}
  std::function<void(std::string_view)> progress;  // a line for people
};

/// An extension point: plugins/services/<name>.
class Service {
 public:
  virtual ~Service() = default;
  /// The rows of its settings, bound to this object; and what it takes without a flag's name, such
  /// as models.
  virtual std::vector<Row> rows() = 0;
  virtual std::vector<Row> arguments() { return {}; }
  /// Runs until it is told to stop: SIGTERM or SIGINT drains (what runs is finished, nothing new is
  /// taken), a second one stops at once. Installs its signal handlers for the time of the call.
  /// Errors: what kept it from starting.
  virtual Result<void> run(const ServiceEvents& events) = 0;
};

/// `plugins` outlives the service.
using ServiceFactory = std::function<std::unique_ptr<Service>(const Plugins& plugins)>;

}  // namespace aictl
