// Supervisor: carries out what the Lifecycle decides: starts processes, reads what they print,
// watches them end, writes the journal. One loop on one thread; health is asked for on others.
#pragma once

#include <csignal>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/process.hpp"
#include "core/base/result.hpp"
#include "core/platform/run/life/lifecycle.hpp"
#include "core/platform/run/local/launch.hpp"
#include "core/platform/run/prober.hpp"
#include "core/platform/run/state/journal.hpp"
#include "core/platform/run/state/rotating_log.hpp"

namespace aictl::platform {

/// What a supervisor tells. Called on the thread of run().
struct SupervisorEvents {
  /// A line that a process printed.
  std::function<void(size_t launch, std::string_view line)> line;
  /// The journal already says what this tells:
  /// {"event": "started"|"healthy"|"unhealthy"|"exited"|"failed"|"ready"|"stopping"|"stopped"|
  /// "warning", "name": ..., ...}.
  std::function<void(const Json& event)> event;
};

struct SupervisorOptions {
  RestartPolicy restarts;
  uint64_t log_bytes = uint64_t{16} << 20;  // of one log file
  int logs_kept = 2;                        // older ones
  ProcessId locker;                         // who is signalled to stop it all
};

class Supervisor {
 public:
  /// `plan` and `folder` outlive it.
  Supervisor(const LocalPlan& plan, const StateFolder& folder, SupervisorOptions options,
             SupervisorEvents events, const Clock& clock);
  ~Supervisor();

  /// Runs the plan until all has ended, or SIGINT, SIGTERM or SIGHUP asks to stop; a second one
  /// kills at once. Those signals and SIGCHLD are its own meanwhile, and it reaps every child of
  /// the process. Returns the exit status. Errors: kUnavailable when something could not be brought
  /// up, after all else was stopped again; kIo.
  Result<int> run();

 private:
  struct Member;

  Result<void> open();
  void act();
  void start(size_t i);
  void wait_for_events();
  void read_signals();
  void read_answers();
  /// Whether there was something.
  bool read_output(size_t i);
  void print(size_t i, std::string_view line);
  void reap();
  void ended(size_t i, ExitStatus status);
  void end_leftovers(size_t i);
  void tell_changes();
  void tell(size_t i, Status status);
  void fail(size_t i);
  void stop(bool at_once);
  void emit(const Json& event);
  void write_down();
  Result<int> result() const;

  const LocalPlan& plan_;
  const StateFolder& folder_;
  const SupervisorOptions options_;
  const SupervisorEvents events_;
  const Clock& clock_;
  Lifecycle life_;
  std::vector<std::unique_ptr<Member>> members_;
  std::unique_ptr<Prober> prober_;
  Fd signals_;
  sigset_t mask_before_{};
  Journal journal_;
  std::optional<Error> failure_;  // what kept it from coming up
  bool was_ready_ = false, changed_ = true, journal_failed_ = false, orphaned_ = false;
};

}  // namespace aictl::platform
