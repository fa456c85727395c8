// Lifecycle: what `up` does with its processes and when, as logic alone: needs, health, restarts,
// the order of stopping. Time and events come in, actions go out; it starts and kills nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/clock.hpp"
#include "core/plugin/workload.hpp"

namespace aictl::platform {

enum class Status : uint8_t {
  kWaiting,    // for what it needs
  kStarting,   // runs, not healthy yet
  kReady,      // runs, and is healthy or has no probe
  kUnhealthy,  // was told to end because its probe failed; will be started again
  kBackoff,    // ended; will be started again
  kStopping,   // was told to end for good
  kStopped,    // ended because everything stops, or never started
  kFinished,   // ended by itself with success, and that was its purpose
  kFailed,     // ended, and is not started again
};

/// "waiting", "starting", ...
std::string_view status_name(Status status);

/// What is to be known of a process to look after it.
struct MemberRules {
  std::vector<size_t> needs;  // indices of those that have to be ready before
  Restart restart = Restart::kAlways;
  bool finishes = false;  // a job: ready for those who need it once it has ended with success
  bool probed = false;    // health is asked for; else running is enough
  bool live = false;      // also after it was ready
  Duration period{std::chrono::seconds(10)};  // between two of those
  int failures = 3;                           // of those in a row, after which it is ended
  Duration startup{std::chrono::seconds(60)}, shutdown{std::chrono::seconds(30)};
};

struct RestartPolicy {
  Duration first{std::chrono::milliseconds(500)};  // doubled each time in a row
  Duration most{std::chrono::seconds(30)};
  Duration stable{std::chrono::seconds(60)};  // ready for so long: the next end is the first again
  int attempts = 8;                           // ends in a row after which it has failed
};

struct Action {
  enum class Kind : uint8_t { kStart, kProbe, kTerminate, kKill };
  Kind kind;
  size_t member;
  bool operator==(const Action&) const = default;
};

/// Of one thread. Members are known by their index; needs point backwards or forwards, without
/// cycles.
class Lifecycle {
 public:
  explicit Lifecycle(std::vector<MemberRules> rules, RestartPolicy policy = {});

  // What happened. `now` never goes back.
  void started(size_t member, Time now);
  /// Its program could not be executed: trying again would not help.
  void start_failed(size_t member, Time now);
  /// `hopeless`: it said itself that starting it again cannot help.
  void exited(size_t member, Time now, bool success, bool hopeless = false);
  void probed(size_t member, Time now, bool healthy);
  /// Everything ends, in reverse order of needs.
  void stop(Time now);
  /// Everything is killed at once.
  void stop_now(Time now);

  /// What to do now, each action once.
  std::vector<Action> due(Time now);
  /// When due() will have something to do if nothing happens before; nullopt: never.
  std::optional<Time> next() const;

  Status status(size_t member) const { return members_[member].status; }
  int restarts(size_t member) const { return members_[member].restarts; }
  /// How long it waits in kBackoff.
  Duration backoff(size_t member) const { return members_[member].backoff; }
  size_t size() const { return members_.size(); }
  bool stopping() const { return stopping_; }
  /// Whether each one is ready or finished, or a job at work.
  bool all_ready() const;
  /// Whether nothing runs and nothing will.
  bool done() const;

 private:
  struct Member {
    MemberRules rules;
    std::vector<size_t> needed_by;
    Status status = Status::kWaiting;
    int restarts = 0, ends_in_row = 0, probe_failures = 0;
    Duration backoff{0}, probe_interval{0};
    bool running = false, asking = false, told = false, killed = false;
    Time ready_since{}, next_probe{}, deadline{};  // deadline: of what the status waits for
  };

  bool satisfied(const Member& m) const;
  bool wants_probe(const Member& m) const;
  bool may_stop(const Member& m) const;
  void become_ready(Member& m, Time now);
  void end(size_t member, Time now, std::vector<Action>& out);
  void due_running(size_t member, Time now, std::vector<Action>& out);
  void due_stopping(size_t member, Time now, std::vector<Action>& out);

  std::vector<Member> members_;
  RestartPolicy policy_;
  bool stopping_ = false, at_once_ = false;
};

}  // namespace aictl::platform
