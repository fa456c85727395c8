#include "core/platform/run/life/lifecycle.hpp"

#include <algorithm>

namespace aictl::platform {
namespace {

// While it starts, health is asked for often at first: a small model is there at once.
constexpr Duration kFirstProbe = std::chrono::milliseconds(50);
constexpr Duration kSlowestProbe = std::chrono::seconds(1);

bool is_over(Status status) {
  return status == Status::kStopped || status == Status::kFinished || status == Status::kFailed;
}

}  // namespace

std::string_view status_name(Status status) {
  constexpr std::string_view kNames[] = {"waiting",  "starting", "ready",    "unhealthy", "backoff",
                                         "stopping", "stopped",  "finished", "failed"};
  return kNames[static_cast<size_t>(status)];
}

Lifecycle::Lifecycle(std::vector<MemberRules> rules, RestartPolicy policy) : policy_(policy) {
  members_.resize(rules.size());
  for (size_t i = 0; i < rules.size(); ++i) {
    for (const size_t need : rules[i].needs) members_[need].needed_by.push_back(i);
    members_[i].rules = std::move(rules[i]);
  }
}

bool Lifecycle::satisfied(const Member& m) const {
  return std::all_of(m.rules.needs.begin(), m.rules.needs.end(), [this](size_t need) {
    const Status status = members_[need].status;
    return status == Status::kReady || status == Status::kFinished;
  });
}

bool Lifecycle::wants_probe(const Member& m) const {
  if (!m.running || m.asking || m.told) return false;
  return (m.status == Status::kStarting && m.rules.probed) ||
         (m.status == Status::kReady && m.rules.live);
}

void Lifecycle::become_ready(Member& m, Time now) {
  m.status = Status::kReady;
  m.ready_since = now;
  m.probe_failures = 0;
  m.next_probe = now + m.rules.period;
}

void Lifecycle::started(size_t member, Time now) {
  Member& m = members_[member];
  m.running = true;
  m.asking = m.told = m.killed = false;
  m.probe_interval = kFirstProbe;
  m.next_probe = now + kFirstProbe;
  m.deadline = now + m.rules.startup;
  if (!m.rules.probed && !m.rules.finishes) become_ready(m, now);
}

void Lifecycle::start_failed(size_t member, Time) {
  members_[member].status = stopping_ ? Status::kStopped : Status::kFailed;
}

void Lifecycle::exited(size_t member, Time now, bool success, bool hopeless) {
  Member& m = members_[member];
  const bool was_stable = m.status == Status::kReady && now - m.ready_since >= policy_.stable;
  m.running = m.asking = false;
  if (stopping_) {
    // A job that was done by itself before it was told to end has done its work.
    m.status = m.rules.finishes && success && !m.told ? Status::kFinished : Status::kStopped;
    return;
  }
  const bool again =
      m.rules.restart == Restart::kAlways || (m.rules.restart == Restart::kOnFailure && !success);
  if (!again) {
    m.status = success ? Status::kFinished : Status::kFailed;
    return;
  }
  m.ends_in_row = was_stable ? 1 : m.ends_in_row + 1;
  if (hopeless || m.ends_in_row >= policy_.attempts) {
    m.status = Status::kFailed;
    return;
  }
  m.backoff = policy_.first;
  for (int i = 1; i < m.ends_in_row && m.backoff < policy_.most; ++i) m.backoff *= 2;
  m.backoff = std::min(m.backoff, policy_.most);
  m.status = Status::kBackoff;
  m.deadline = now + m.backoff;
}

void Lifecycle::probed(size_t member, Time now, bool healthy) {
  Member& m = members_[member];
  m.asking = false;
  if (m.status == Status::kStarting) {
    if (healthy) return become_ready(m, now);
    m.probe_interval = std::min(m.probe_interval * 3 / 2, kSlowestProbe);
    m.next_probe = now + m.probe_interval;
  } else if (m.status == Status::kReady) {
    m.probe_failures = healthy ? 0 : m.probe_failures + 1;
    m.next_probe = now + m.rules.period;
  }
}

void Lifecycle::stop(Time) {
  stopping_ = true;
  for (Member& m : members_)
    if (!m.running && !is_over(m.status)) m.status = Status::kStopped;
}

void Lifecycle::stop_now(Time now) {
  stop(now);
  at_once_ = true;
}

bool Lifecycle::may_stop(const Member& m) const {
  return at_once_ || std::none_of(m.needed_by.begin(), m.needed_by.end(),
                                  [this](size_t user) { return members_[user].running; });
}

// First the polite signal, and after the time it has, the other.
void Lifecycle::end(size_t member, Time now, std::vector<Action>& out) {
  Member& m = members_[member];
  if (!m.told) {
    m.told = true;
    m.deadline = now + m.rules.shutdown;
    out.push_back({Action::Kind::kTerminate, member});
  }
  if (!m.killed && now >= m.deadline) {
    m.killed = true;
    out.push_back({Action::Kind::kKill, member});
  }
}

void Lifecycle::due_running(size_t member, Time now, std::vector<Action>& out) {
  Member& m = members_[member];
  const bool in_vain = m.status == Status::kStarting && m.rules.probed && now >= m.deadline;
  const bool sick = m.status == Status::kReady && m.probe_failures >= m.rules.failures;
  if (in_vain || sick) m.status = Status::kUnhealthy;
  if (m.status == Status::kUnhealthy) return end(member, now, out);
  if (wants_probe(m) && now >= m.next_probe) {
    m.asking = true;
    out.push_back({Action::Kind::kProbe, member});
  }
}

void Lifecycle::due_stopping(size_t member, Time now, std::vector<Action>& out) {
  Member& m = members_[member];
  if (!m.running || !may_stop(m)) return;
  m.status = Status::kStopping;
  if (!at_once_) return end(member, now, out);
  if (!m.killed) out.push_back({Action::Kind::kKill, member});
  m.told = m.killed = true;
}

std::vector<Action> Lifecycle::due(Time now) {
  std::vector<Action> out;
  for (size_t i = 0; i < members_.size(); ++i) {
    Member& m = members_[i];
    if (stopping_) {
      due_stopping(i, now, out);
    } else if (m.running) {
      due_running(i, now, out);
    } else if ((m.status == Status::kWaiting && satisfied(m)) ||
               (m.status == Status::kBackoff && now >= m.deadline)) {
      if (m.status == Status::kBackoff) ++m.restarts;
      m.status = Status::kStarting;
      out.push_back({Action::Kind::kStart, i});
    }
  }
  return out;
}

std::optional<Time> Lifecycle::next() const {
  std::optional<Time> soonest;
  const auto at = [&](Time time) { soonest = soonest ? std::min(*soonest, time) : time; };
  for (const Member& m : members_) {
    if (stopping_) {
      if (m.running && may_stop(m) && !m.killed) at(m.told ? m.deadline : Time::min());
    } else if (m.status == Status::kBackoff) {
      at(m.deadline);
    } else if (m.running) {
      const bool ending = m.status == Status::kUnhealthy;
      if (ending && !m.killed) at(m.deadline);
      if (m.status == Status::kStarting && m.rules.probed) at(m.deadline);
      if (wants_probe(m)) at(m.next_probe);
      if (m.status == Status::kReady && m.probe_failures >= m.rules.failures) at(Time::min());
    } else if (m.status == Status::kWaiting && satisfied(m)) {
      at(Time::min());
    }
  }
  return soonest;
}

bool Lifecycle::all_ready() const {
  return std::all_of(members_.begin(), members_.end(), [](const Member& m) {
    return m.status == Status::kReady || m.status == Status::kFinished ||
           (m.rules.finishes && m.running);
  });
}

bool Lifecycle::done() const {
  return std::all_of(members_.begin(), members_.end(),
                     [](const Member& m) { return !m.running && is_over(m.status); });
}

}  // namespace aictl::platform
