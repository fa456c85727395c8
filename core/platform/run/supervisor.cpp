#include "core/platform/run/supervisor.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include <fmt/format.h>

#include "core/platform/run/keeper.hpp"
#include "core/platform/run/local/ports.hpp"
#include "core/platform/run/state/processes.hpp"

namespace aictl::platform {
namespace {

constexpr size_t kTailLines = 8;      // of a process that failed, shown with the error
constexpr size_t kMostProbers = 16;   // questions at the same time
constexpr size_t kReadBytes = 65536;  // at a time, of one pipe: a pipe holds no more

MemberRules rules_of(const Launch& launch) {
  MemberRules rules;
  rules.needs = launch.needs;
  rules.restart = launch.restart;
  rules.probed = launch.startup.has_value();
  rules.finishes = launch.restart != Restart::kAlways && !rules.probed;
  rules.live = launch.live.has_value();
  if (launch.live) {
    rules.period = std::chrono::seconds(std::max(1, launch.live->period));
    rules.failures = std::max(1, launch.live->failures);
  }
  rules.startup = std::chrono::seconds(launch.startup_seconds);
  rules.shutdown = std::chrono::seconds(launch.shutdown_seconds);
  return rules;
}

std::vector<MemberRules> rules_of(const LocalPlan& plan) {
  std::vector<MemberRules> rules;
  for (const Launch& launch : plan.launches) rules.push_back(rules_of(launch));
  return rules;
}

// 2, 65: our own services say so when their settings or data are refused, now and ever.
bool is_hopeless(const Launch& launch, const ExitStatus& status) {
  return launch.argv[0] == "aictl" && status.signal == 0 && (status.code == 2 || status.code == 65);
}

}  // namespace

struct Supervisor::Member {
  Process process;  // pid 0: none
  LineCutter output, errors;
  std::optional<RotatingLog> log;
  std::deque<std::string> tail;
  Status told = Status::kWaiting;
  int runs = 0;
  std::string ended;  // how the last one did
};

Supervisor::Supervisor(const LocalPlan& plan, const StateFolder& folder, SupervisorOptions options,
                       SupervisorEvents events, const Clock& clock)
    : plan_(plan),
      folder_(folder),
      options_(std::move(options)),
      events_(std::move(events)),
      clock_(clock),
      life_(rules_of(plan), options_.restarts) {}

Supervisor::~Supervisor() {
  if (signals_) ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

Result<void> Supervisor::open() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD, keeper_gone_signal()})
    sigaddset(&set, signal);
  ::pthread_sigmask(SIG_BLOCK, &set, &mask_before_);  // before threads are made: they inherit it
  signals_ = Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_) return errno_error("signalfd", errno);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // what loses its parent becomes ours, and is found
  size_t probed = 0;
  journal_.platform = plan_.platform;
  journal_.file = plan_.file;
  journal_.digest = plan_.digest;
  journal_.boot = boot_id();
  journal_.supervisor = options_.locker;
  journal_.since = clock_.unix_seconds();
  for (const Launch& launch : plan_.launches) {
    auto member = std::make_unique<Member>();
    auto log = RotatingLog::open(folder_.log(launch.name), options_.log_bytes, options_.logs_kept);
    if (!log) return std::move(log).error();
    member->log.emplace(*std::move(log));
    members_.push_back(std::move(member));
    probed += launch.startup || launch.live;
    JournalRow row;
    row.name = launch.name;
    row.status = status_name(Status::kWaiting);
    row.argv = launch.argv;
    row.ports = launch.ports;
    row.url = launch.url;
    row.log = folder_.log(launch.name).string();
    row.shutdown_seconds = launch.shutdown_seconds;
    row.since = journal_.since;
    journal_.rows.push_back(std::move(row));
  }
  prober_ = std::make_unique<Prober>(std::min(probed, kMostProbers));
  return {};
}

Result<int> Supervisor::run() {
  if (auto ok = open(); !ok) return std::move(ok).error();
  while (true) {
    act();
    if (life_.done()) break;
    wait_for_events();
  }
  prober_.reset();
  end_descendants();  // what went its own way
  folder_.remove_leftovers();
  std::error_code ignored;
  std::filesystem::remove(folder_.journal(), ignored);
  events_.event({{"event", "stopped"}});
  return result();
}

Result<int> Supervisor::result() const {
  if (failure_) return *failure_;
  bool failed = orphaned_;
  for (size_t i = 0; i < life_.size(); ++i) failed |= life_.status(i) == Status::kFailed;
  return failed ? 1 : 0;
}

// Does what is due until nothing is: a start that fails at once may make something else due.
void Supervisor::act() {
  while (true) {
    const std::vector<Action> actions = life_.due(clock_.now());
    for (const Action& action : actions) {
      Member& m = *members_[action.member];
      switch (action.kind) {
        case Action::Kind::kStart:
          start(action.member);
          break;
        case Action::Kind::kProbe: {
          const Launch& launch = plan_.launches[action.member];
          const bool live = life_.status(action.member) == Status::kReady;
          prober_->ask({action.member, m.runs, live ? *launch.live : *launch.startup});
          break;
        }
        case Action::Kind::kTerminate:
          ::kill(-m.process.pid, SIGTERM);
          break;
        case Action::Kind::kKill:
          ::kill(-m.process.pid, SIGKILL);
          end_leftovers(action.member);
          break;
      }
    }
    tell_changes();
    if (actions.empty()) break;
  }
  if (changed_) write_down();
}

void Supervisor::start(size_t i) {
  const Launch& launch = plan_.launches[i];
  Member& m = *members_[i];
  ProcessOptions options;
  options.program = launch.program;
  options.argv = launch.argv;
  options.environment = environment_of(launch, folder_.path().string());
  options.folder = plan_.folder;
  auto process = Process::spawn(options);
  changed_ = true;
  if (!process) {
    m.ended = process.error().message;
    m.log->write(fmt::format("aictl: {}", m.ended));
    return life_.start_failed(i, clock_.now());
  }
  m.process = *std::move(process);
  ++m.runs;
  m.told = Status::kStarting;  // that it is ready is news again, however soon it is
  m.output = m.errors = LineCutter();
  m.tail.clear();
  const auto row = find_process(m.process.pid);
  journal_.rows[i].process = row ? row->id : ProcessId{m.process.pid, 0};
  life_.started(i, clock_.now());
  m.log->write(fmt::format("aictl: started as pid {}", m.process.pid));
  // Known on disk before anything else happens: the next `up` finds it by this, or by its mark.
  write_down();
  emit({{"event", "started"}, {"name", launch.name}, {"pid", m.process.pid}});
}

void Supervisor::wait_for_events() {
  std::vector<pollfd> fds{{signals_.get(), POLLIN, 0}, {prober_->fd(), POLLIN, 0}};
  std::vector<size_t> whose;
  for (size_t i = 0; i < members_.size(); ++i)
    for (const Fd* fd : {&members_[i]->process.output, &members_[i]->process.errors})
      if (*fd) fds.push_back({fd->get(), POLLIN, 0}), whose.push_back(i);
  int timeout = -1;
  if (const auto next = life_.next()) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(std::max(*next, clock_.now()) - clock_.now());
    timeout = static_cast<int>(std::min<int64_t>(left.count(), 3'600'000));
  }
  if (::poll(fds.data(), fds.size(), timeout) <= 0) return;
  if (fds[1].revents) read_answers();
  for (size_t i = 2; i < fds.size(); ++i)
    if (fds[i].revents) read_output(whose[i - 2]);
  if (fds[0].revents) read_signals();
}

void Supervisor::read_signals() {
  signalfd_siginfo info;
  while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    const int signal = static_cast<int>(info.ssi_signo);
    if (signal == SIGCHLD) {
      reap();
    } else if (signal == keeper_gone_signal()) {
      orphaned_ = true;  // our keeper was killed: whoever did that wants all of it gone
      stop(true);
    } else {
      stop(life_.stopping());
    }
  }
}

void Supervisor::read_answers() {
  for (const Prober::Answer& answer : prober_->answers())
    if (answer.run == members_[answer.member]->runs)
      life_.probed(answer.member, clock_.now(), answer.healthy);
}

void Supervisor::print(size_t i, std::string_view line) {
  Member& m = *members_[i];
  m.log->write(line);
  m.tail.emplace_back(line);
  for (char& c : m.tail.back())  // they may end up on a terminal
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  if (m.tail.size() > kTailLines) m.tail.pop_front();
  events_.line(i, line);
}

bool Supervisor::read_output(size_t i) {
  const auto on_line = [&](std::string_view line) { print(i, line); };
  const auto read_some = [&](Fd& fd, LineCutter& cutter) {
    char buffer[kReadBytes];
    const ssize_t n = fd ? ::read(fd.get(), buffer, sizeof buffer) : -1;
    if (n > 0) cutter.feed({buffer, static_cast<size_t>(n)}, on_line);
    if (n > 0 || !fd || (n < 0 && (errno == EAGAIN || errno == EINTR))) return n > 0;
    cutter.finish(on_line);
    fd = Fd();
    return false;
  };
  Member& m = *members_[i];
  const bool output = read_some(m.process.output, m.output);
  const bool errors = read_some(m.process.errors, m.errors);
  return output || errors;
}

void Supervisor::reap() {
  while (true) {
    siginfo_t info{};
    // Looked at and not reaped yet: until then its number, and its group's, are nobody else's.
    if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return;
    const pid_t pid = info.si_pid;
    const auto ours = std::find_if(members_.begin(), members_.end(),
                                   [&](const auto& m) { return m->process.pid == pid; });
    if (ours != members_.end()) ::kill(-pid, SIGKILL);  // what it leaves behind in its group
    int status = 0;
    ::waitpid(pid, &status, 0);
    if (ours != members_.end())
      ended(static_cast<size_t>(ours - members_.begin()), ExitStatus::of_wait(status));
  }
}

void Supervisor::ended(size_t i, ExitStatus status) {
  Member& m = *members_[i];
  end_leftovers(i);
  // What is left in the pipes; not more than they hold, whoever else still writes.
  for (int reads = 0; reads < 64 && read_output(i); ++reads) {
  }
  for (LineCutter* cutter : {&m.output, &m.errors})
    cutter->finish([&](std::string_view line) { print(i, line); });
  m.process = Process();
  journal_.rows[i].process = {};
  m.ended = status.text();
  m.log->write(fmt::format("aictl: {}", m.ended));
  life_.exited(i, clock_.now(), status.ok(), is_hopeless(plan_.launches[i], status));
  changed_ = true;
  const bool again = life_.status(i) == Status::kBackoff;
  emit({{"event", "exited"},
        {"name", plan_.launches[i].name},
        {"ended", m.ended},
        {"restart_ms",
         again
             ? Json(std::chrono::duration_cast<std::chrono::milliseconds>(life_.backoff(i)).count())
             : Json()}});
}

// What left its group, by its mark.
void Supervisor::end_leftovers(size_t i) {
  for (const ProcessRow& row : marked_processes(folder_.path().string(), plan_.launches[i].name))
    if (row.id.pid != members_[i]->process.pid) signal_process(row.id, SIGKILL);
}

void Supervisor::tell_changes() {
  for (size_t i = 0; i < members_.size(); ++i) {
    const Status status = life_.status(i);
    if (status == members_[i]->told) continue;
    members_[i]->told = status;
    changed_ = true;
    tell(i, status);
  }
  if (was_ready_ || life_.stopping() || !life_.all_ready()) return;
  was_ready_ = true;
  Json urls = Json::object();
  for (const Launch& launch : plan_.launches)
    if (!launch.url.empty()) urls[launch.name] = launch.url;
  emit({{"event", "ready"}, {"platform", plan_.platform}, {"urls", urls}});
}

void Supervisor::tell(size_t i, Status status) {
  const Launch& launch = plan_.launches[i];
  if (status == Status::kReady)
    emit({{"event", "healthy"}, {"name", launch.name}, {"url", launch.url}});
  else if (status == Status::kUnhealthy)
    emit({{"event", "unhealthy"}, {"name", launch.name}});
  else if (status == Status::kFailed)
    fail(i);
}

// Before all was ready a failure ends it all; afterwards the others go on.
void Supervisor::fail(size_t i) {
  const Launch& launch = plan_.launches[i];
  const Member& m = *members_[i];
  std::string message = fmt::format("'{}' does not come up: {}", launch.name, m.ended);
  if (was_ready_) message = fmt::format("'{}' stays down: {}", launch.name, m.ended);
  if (m.runs > 1) message += fmt::format(" ({} starts)", m.runs);
  if (!launch.ports.empty())
    if (const std::string owner = port_owner(launch.ports[0].second); !owner.empty())
      message += fmt::format("; port {} is taken by {}", launch.ports[0].second, owner);
  std::string hint = fmt::format("all it printed: {}", folder_.log(launch.name).string());
  if (!m.tail.empty()) hint = fmt::format("it printed:\n  {}\n{}", fmt::join(m.tail, "\n  "), hint);
  emit({{"event", "failed"}, {"name", launch.name}, {"message", message}, {"hint", hint}});
  if (was_ready_ || failure_ || life_.stopping()) return;
  failure_ = Error{ErrorCode::kUnavailable, message, hint};
  stop(false);
}

void Supervisor::stop(bool at_once) {
  if (at_once)
    life_.stop_now(clock_.now());
  else
    life_.stop(clock_.now());
  journal_.stopping = true;
  changed_ = true;
  emit({{"event", "stopping"}, {"at_once", at_once}});
}

// Whoever is told of something may look at once, or may kill: the journal knows it before.
void Supervisor::emit(const Json& event) {
  if (changed_) write_down();
  events_.event(event);
}

void Supervisor::write_down() {
  changed_ = false;
  for (size_t i = 0; i < members_.size(); ++i) {
    JournalRow& row = journal_.rows[i];
    const std::string status(status_name(life_.status(i)));
    if (row.status != status) row.since = clock_.unix_seconds();
    row.status = status;
    row.restarts = life_.restarts(i);
    row.ended = members_[i]->ended;
  }
  const auto written = write_journal(folder_, journal_);
  if (!written && !journal_failed_)
    events_.event(
        {{"event", "warning"},
         {"message", fmt::format("the journal cannot be written: {}", written.error().message)}});
  journal_failed_ = !written.ok();
}

}  // namespace aictl::platform
