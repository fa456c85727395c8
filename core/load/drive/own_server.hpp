// A server of ours, started for one run and stopped after it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/result.hpp"

namespace aictl::load {

class OwnServer {
 public:
  /// Runs `program serve ARGUMENTS --address 127.0.0.1:0 -o json` and waits until it answers. The
  /// thread that calls this lives as long as the server. Errors: kUnavailable with the last words
  /// of a server that ended, and those of starting a process.
  static Result<OwnServer> start(const std::string& program,
                                 const std::vector<std::string>& arguments);
  OwnServer(OwnServer&&) noexcept;
  OwnServer& operator=(OwnServer&&) noexcept;
  /// Stops it: SIGTERM, and SIGKILL when that takes too long.
  ~OwnServer();

  const std::string& url() const;
  /// Seconds from its start until it was ready.
  double seconds_to_ready() const;

 private:
  struct State;
  explicit OwnServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace aictl::load
