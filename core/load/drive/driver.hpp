// The driver: sends requests when they are due, whatever the answers do, and writes down when what
// came. One thread for all streams.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/http/message.hpp"
#include "core/load/arrival/arrivals.hpp"
#include "core/load/drive/record.hpp"

namespace aictl::load {

struct DriveOptions {
  std::string url, path;
  http::Headers headers;
  double timeout = 600;       // seconds an answer may take
  bool exact_length = false;  // a shorter or longer answer than asked for is a failure
  bool verify_tls = true;
  std::string ca_file;
  // Closed loop: so many users, each of whom asks when the answer before is there.
  int users = 0;  // 0: open loop
  ThinkTime think;
  // Open loop: at these times.
  std::vector<Arrival> arrivals;
  int64_t max_running = 0;  // more wait in this program's queue; 0: no bound

  uint64_t requests = 0;  // at most so many
  double duration = 0;    // seconds in which requests are sent; 0: until all are
  uint64_t seed = 0;
};

/// A request ready to be sent.
struct Prepared {
  std::string body;
  int64_t in_tokens = 0, out_tokens = 0;  // as asked; 0: not said
};

/// How far a run is, for who watches.
struct Live {
  double seconds = 0;
  uint64_t sent = 0, done = 0, failed = 0, running = 0, waiting = 0, pieces = 0;
};

/// Drives the server to the end of the plan and of the last answer. `prepare` makes the request of
/// an index; `watch` is called about ten times a second and ends the run by false: what is running
/// then is cut off and marked. Errors: of the URL; no request is one.
Result<Run> drive(const DriveOptions& options, const std::function<Prepared(uint64_t)>& prepare,
                  const std::function<bool(const Live&)>& watch);

}  // namespace aictl::load
