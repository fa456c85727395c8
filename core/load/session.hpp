// A load test from words to result: what was asked for is read and checked before anything is sent.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/load/drive/driver.hpp"
#include "core/load/drive/target.hpp"
#include "core/load/report/result.hpp"
#include "core/load/workload/workload.hpp"

namespace aictl::load {

/// As typed; empty and 0 mean: not given.
struct SessionOptions {
  // Whom.
  TargetOptions target;
  // How often: users in closed loop, or a rate, a ramp, steps or a trace in open loop.
  int concurrency = 0;
  std::string think;
  double rate = 0;
  std::string arrival = "poisson", ramp, steps, trace;
  std::chrono::seconds step_time{30};
  double speed = 1;
  int64_t max_concurrency = 0;
  int64_t requests = 0;
  std::chrono::milliseconds duration{0};
  // What.
  std::string in = "256", out = "64", prefix_share, dataset;
  int64_t prefix_groups = 1, max_model_len = 0;
  bool raw = false;  // a dataset's rows as they are
  int64_t seed = 1;
  // How it is judged.
  std::string warmup = "auto", slo;
};

class Session {
 public:
  /// Reads the options and the files they name. Errors: kInvalidArgument naming the option;
  /// kNotFound and kDataRefused for files.
  static Result<Session> prepare(SessionOptions options);

  /// How many requests, or seconds, the run takes, for a bar of progress: one of them is 0.
  uint64_t total_requests() const { return total_requests_; }
  double total_seconds() const { return drive_.duration; }

  /// Asks the server for its models and word lengths, drives it, and sums up; `fingerprint` gets
  /// the server's facts. `watch` as in drive(). Errors: as Target::open and Target::lexicon:
  /// nothing was measured then.
  struct Outcome {
    Run run;
    Json result;
  };
  Result<Outcome> run(Json fingerprint, const std::function<void(std::string_view)>& note,
                      const std::function<bool(const Live&)>& watch);

  SessionOptions& options() { return options_; }

 private:
  explicit Session(SessionOptions options) : options_(std::move(options)) {}
  Result<void> read_load();
  Result<void> read_open_loop(const ArrivalProcess& process);
  Result<void> read_trace();
  Result<void> read_workload();
  Json config_json(const Target& target) const;
  Result<Workload> make_workload(Target& target);

  SessionOptions options_;
  DriveOptions drive_;
  WorkloadOptions work_;
  std::vector<TraceRow> trace_;
  Dataset dataset_;
  Warmup warmup_;
  std::vector<Slo> slos_;
  std::vector<std::string> step_names_;
  std::vector<std::string> notes_;
  uint64_t total_requests_ = 0;
};

}  // namespace aictl::load
