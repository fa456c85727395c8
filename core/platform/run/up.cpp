#include "core/platform/run/up.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <ostream>

#include <fmt/format.h>

#include "core/base/process.hpp"
#include "core/base/signals.hpp"
#include "core/base/units.hpp"
#include "core/cli/terminal/table.hpp"
#include "core/platform/run/display.hpp"
#include "core/platform/run/keeper.hpp"
#include "core/platform/run/local/ports.hpp"
#include "core/platform/run/state/journal.hpp"
#include "core/platform/run/supervisor.hpp"

namespace aictl::platform {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names_of(const LocalPlan& plan) {
  std::vector<std::string> names;
  for (const Launch& launch : plan.launches) names.push_back(launch.name);
  return names;
}

// A word as a shell would have to read it.
std::string quoted(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+,./:@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == word.npos) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? "'\\''" : std::string(1, c);
  return text + "'";
}

std::string command_line(const Launch& launch) {
  std::string text;
  for (const std::string& word : launch.argv) text += (text.empty() ? "" : " ") + quoted(word);
  return text;
}

std::string needs_text(const LocalPlan& plan, const Launch& launch) {
  std::vector<std::string> names;
  for (const size_t need : launch.needs) names.push_back(plan.launches[need].name);
  return names.empty() ? "-" : fmt::format("{}", fmt::join(names, ", "));
}

void print_dry_run(const LocalPlan& plan, std::ostream& out) {
  for (const Launch& launch : plan.launches) {
    out << launch.name << "\n  runs    " << command_line(launch) << "\n  as      " << launch.program
        << '\n';
    for (const auto& [name, value] : launch.environment)
      out << "  env     " << name << '=' << quoted(value) << '\n';
    for (const SecretVariable& secret : launch.secrets)
      out << "  env     " << secret.variable << " from secret " << secret.secret << '/'
          << secret.key << '\n';
    for (const auto& [name, port] : launch.ports)
      out << "  port    " << port << " (" << name << ")\n";
    out << "  needs   " << needs_text(plan, launch) << '\n';
  }
}

void print_plan(const LocalPlan& plan, cli::Context& context) {
  if (context.flags.quiet) return;
  cli::Table table({"NAME", "URL", "NEEDS", "RUNS"});
  for (const Launch& launch : plan.launches) {
    std::string runs = command_line(launch);
    if (runs.size() > 60) runs = runs.substr(0, 57) + "...";
    table.row({launch.name, launch.url.empty() ? "-" : launch.url, needs_text(plan, launch), runs});
  }
  table.print(context.out());
}

void tell_of_plan(const LocalPlan& plan, cli::Context& context) {
  for (const LeftOut& left : plan.left_out)
    context.warn(fmt::format("'{}' is left out: {}", left.name, left.why));
  for (const std::string& note : plan.notes) context.note(note);
  if (context.flags.output == "json") {
    Json event{{"event", "plan"}};
    event.update(local_plan_json(plan));
    context.print_line(event);
  } else {
    print_plan(plan, context);
  }
}

// In the supervisor's process. `events` also get what it tells; its error is one of them.
int supervise(const LocalPlan& plan, const StateFolder& folder, const UpOptions& options,
              cli::Context& context, bool with_lines,
              const std::function<void(const Json&)>& events) {
  std::optional<Error> error;
  int status = 0;
  {
    Display display(context, names_of(plan), with_lines);
    SupervisorOptions settings;
    settings.log_bytes = options.log_size;
    settings.restarts.attempts = options.attempts;
    if (const auto keeper = find_process(::getppid())) settings.locker = keeper->id;
    folder.set_locker(settings.locker);
    const Clock clock;
    Supervisor supervisor(plan, folder, settings,
                          {[&](size_t i, std::string_view line) { display.line(i, line); },
                           [&](const Json& event) {
                             display.event(event);
                             events(event);
                           }},
                          clock);
    auto result = supervisor.run();
    if (result) status = *result;
    if (!result) error = std::move(result).error();
  }
  if (!error) return status;
  events({{"event", "error"},
          {"code", faces(error->code).name},
          {"message", error->message},
          {"hint", error->hint}});
  context.print_error(*error);
  return faces(error->code).exit_status;
}

void redirect_to(const fs::path& log) {
  const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const Fd file(::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
  ::dup2(null.get(), 0);
  ::dup2(file ? file.get() : null.get(), 1);
  ::dup2(file ? file.get() : null.get(), 2);
}

// The life of the process in the background: the keeper, and below it the supervisor, which tells
// the one who waits through `report` until it is ready.
[[noreturn]] void be_background(const LocalPlan& plan, const StateFolder& folder,
                                const UpOptions& options, cli::Context& context, Fd report) {
  ::setsid();
  redirect_to(folder.path() / "up.log");
  auto kept = keep(
      [&] {
        return supervise(plan, folder, options, context, false, [&](const Json& event) {
          if (!report) return;
          const std::string line = dump_json(event) + "\n";
          [[maybe_unused]] const ssize_t n = ::write(report.get(), line.data(), line.size());
          if (event["event"] == "ready") report = Fd();
        });
      },
      [&] { report = Fd(); });
  if (!kept) context.print_error(kept.error());
  ::_exit(kept ? *kept : faces(kept.error().code).exit_status);
}

// Shows what the background tells until it is ready or has ended.
Result<int> wait_for_background(pid_t background, const Fd& report, const LocalPlan& plan,
                                cli::Context& context) {
  const Signals signals{SIGINT, SIGTERM};
  bool ready = false;
  std::optional<Error> error;
  {
    Display display(context, names_of(plan));
    LineCutter cutter(size_t{1} << 20);
    const auto on_line = [&](std::string_view line) {
      auto event = parse_json(line);
      if (!event) return;
      const std::string what = event->value("event", "");
      if (what == "error")
        error =
            Error{ErrorCode::kUnavailable, event->value("message", ""), event->value("hint", "")};
      else
        display.event(*event);
      ready = ready || what == "ready";
    };
    int passed_on = 0;
    char buffer[65536];
    while (true) {
      pollfd fd{report.get(), POLLIN, 0};
      const int polled = ::poll(&fd, 1, 100);
      if (signals.count() > passed_on) ++passed_on, ::kill(background, SIGTERM);
      if (polled <= 0) continue;
      const ssize_t n = ::read(report.get(), buffer, sizeof buffer);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      cutter.feed({buffer, static_cast<size_t>(n)}, on_line);
    }
  }
  if (ready) {
    context.note("it runs on; see it: aictl ps, aictl logs -f NAME; stop it: aictl down");
    return 0;
  }
  int status = 0;
  while (::waitpid(background, &status, 0) < 0 && errno == EINTR) {
  }
  if (error) return *error;
  if (signals.count() > 0) return Error{ErrorCode::kCancelled, "stopped before it was ready", ""};
  const ExitStatus ended = ExitStatus::of_wait(status);
  if (ended.ok()) return 0;  // all of it was jobs, and they are done
  return Error{ErrorCode::kUnavailable, fmt::format("it did not come up: {}", ended.text()), ""};
}

Result<int> run_detached(const LocalPlan& plan, const StateFolder& folder, const UpOptions& options,
                         cli::Context& context) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error("pipe", errno);
  Fd reading(ends[0]), writing(ends[1]);
  const pid_t background = ::fork();
  if (background < 0) return errno_error("going to the background", errno);
  if (background == 0) {
    reading = Fd();
    be_background(plan, folder, options, context, std::move(writing));
  }
  writing = Fd();
  return wait_for_background(background, reading, plan, context);
}

Result<int> dry_run(const LocalRequest& request, const LocalMachine& machine,
                    const StateFolder& folder, cli::Context& context) {
  LocalRequest only = request;
  only.ports.taken = true;
  auto prepared = prepare(only, machine, folder);
  if (!prepared) return std::move(prepared).error();
  Json tree = local_plan_json(prepared->plan);
  tree["state"] = folder.path().string();
  context.print_result(tree, [&](std::ostream& out) { print_dry_run(prepared->plan, out); });
  for (const LeftOut& left : prepared->plan.left_out)
    context.warn(fmt::format("'{}' is left out: {}", left.name, left.why));
  for (const std::string& note : prepared->plan.notes) context.note(note);
  return 0;
}

Result<fs::path> folder_of(const LocalRequest& request, const UpOptions& options,
                           const LocalMachine& machine) {
  if (!options.state.empty()) return fs::absolute(options.state).lexically_normal();
  auto root = state_root(machine.environment);
  if (!root) return std::move(root).error();
  return *root / request.platform;
}

}  // namespace

LocalMachine this_machine(const Environment& environment, const std::string& secrets,
                          std::function<Result<fs::path>(std::string_view)> model_file) {
  LocalMachine machine;
  machine.ports = {port_is_free, any_free_port, port_owner};
  machine.environment = environment;
  machine.model_file = std::move(model_file);
  std::error_code error;
  machine.own_program = fs::read_symlink("/proc/self/exe", error).string();
  // A build or an upgrade may have replaced the file: the kernel still has ours.
  if (error || ::access(machine.own_program.c_str(), X_OK) != 0)
    machine.own_program = "/proc/self/exe";
  const auto config = environment("XDG_CONFIG_HOME");
  machine.secrets = !secrets.empty() ? fs::absolute(secrets)
                    : config && config->starts_with('/')
                        ? fs::path(*config) / "aictl/secrets"
                        : fs::path(environment("HOME").value_or("/")) / ".config/aictl/secrets";
  return machine;
}

Result<int> up(const LocalRequest& request, const UpOptions& options, const LocalMachine& machine,
               cli::Context& context) {
  auto path = folder_of(request, options, machine);
  if (!path) return std::move(path).error();
  if (options.dry_run) return dry_run(request, machine, StateFolder(*path), context);
  auto folder = StateFolder::make(*path);
  if (!folder) return std::move(folder).error();
  if (auto locked = folder->lock(); !locked) return std::move(locked).error();
  if (const auto self = find_process(::getpid())) folder->set_locker(self->id);
  // Before ports are chosen: what was left behind may hold them.
  for (const std::string& stopped : repair(*folder))
    context.note(fmt::format("stopped {}, left by an `up` that was killed", stopped));
  auto prepared = prepare(request, machine, *folder);
  if (!prepared) return std::move(prepared).error();
  if (auto made = make_fixtures(prepared->fixtures); !made) return std::move(made).error();
  tell_of_plan(prepared->plan, context);
  context.out().flush();
  context.err().flush();
  if (options.detach) return run_detached(prepared->plan, *folder, options, context);
  return keep([&] {
    return supervise(prepared->plan, *folder, options, context, true, [](const Json&) {});
  });
}

}  // namespace aictl::platform
