#include "core/platform/run/state/processes.hpp"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <set>
#include <thread>

#include <fmt/format.h>

#include "core/base/file.hpp"

namespace aictl::platform {
namespace {

namespace fs = std::filesystem;

std::string proc_file(pid_t pid, std::string_view name) {
  auto text = read_file(fmt::format("/proc/{}/{}", pid, name), size_t{8} << 20);
  return text ? *std::move(text) : "";
}

// Field `n` (from 1) of /proc/PID/stat after the name, which may hold blanks and brackets itself.
std::vector<std::string_view> stat_fields(std::string_view stat) {
  std::vector<std::string_view> fields;
  const size_t bracket = stat.rfind(')');
  if (bracket == stat.npos) return fields;
  stat.remove_prefix(std::min(bracket + 2, stat.size()));
  while (!stat.empty()) {
    const size_t blank = std::min(stat.find(' '), stat.size());
    fields.push_back(stat.substr(0, blank));
    stat.remove_prefix(std::min(blank + 1, stat.size()));
  }
  return fields;
}

template <typename T>
T number(std::string_view text) {
  T value{};
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// Ourselves and all above us: a shell that `up` started may run another `aictl`.
std::set<pid_t> own_line() {
  std::set<pid_t> line;
  for (pid_t pid = ::getpid(); pid > 0 && line.insert(pid).second;) {
    const auto row = find_process(pid);
    pid = row ? row->parent : 0;
  }
  return line;
}

// The value of kMark in the environment a process was started with; empty without one.
std::string mark_in(pid_t pid) {
  const std::string environment = proc_file(pid, "environ");
  std::string_view rest = environment;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\0'), rest.size());
    const std::string_view variable = rest.substr(0, end);
    if (variable.starts_with(kMark) && variable.substr(kMark.size()).starts_with('='))
      return std::string(variable.substr(kMark.size() + 1));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return "";
}

}  // namespace

std::optional<ProcessRow> find_process(pid_t pid) {
  const std::string stat = proc_file(pid, "stat");
  const auto fields = stat_fields(stat);  // state, parent, group, ...; the 20th is the start
  if (fields.size() < 20) return std::nullopt;
  ProcessRow row;
  row.id = {pid, number<uint64_t>(fields[19])};
  row.parent = number<pid_t>(fields[1]);
  row.group = number<pid_t>(fields[2]);
  row.zombie = fields[0] == "Z" || fields[0] == "X";
  return row;
}

bool is_running(const ProcessId& id) {
  const auto row = id.pid > 0 ? find_process(id.pid) : std::nullopt;
  return row && row->id == id && !row->zombie;
}

std::vector<ProcessRow> all_processes() {
  std::vector<ProcessRow> rows;
  std::error_code error;
  for (fs::directory_iterator entry("/proc", error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.find_first_not_of("0123456789") != name.npos) continue;
    if (auto row = find_process(number<pid_t>(name))) rows.push_back(*row);
  }
  return rows;
}

std::vector<ProcessRow> descendants(pid_t pid) {
  const std::vector<ProcessRow> all = all_processes();
  std::vector<ProcessRow> below;
  std::vector<pid_t> parents{pid};
  while (!parents.empty()) {
    const pid_t parent = parents.back();
    parents.pop_back();
    for (const ProcessRow& row : all) {
      if (row.parent != parent || row.id.pid == parent) continue;
      below.push_back(row);
      parents.push_back(row.id.pid);
    }
  }
  return below;
}

std::string mark_of(std::string_view name, std::string_view folder) {
  return fmt::format("{}@{}", name, folder);  // a name has no @ in it
}

std::vector<ProcessRow> marked_processes(std::string_view folder, std::string_view name) {
  const std::set<pid_t> line = own_line();
  std::vector<ProcessRow> rows;
  for (const ProcessRow& row : all_processes()) {
    if (row.zombie || line.contains(row.id.pid)) continue;
    const std::string mark = mark_in(row.id.pid);
    const size_t at = mark.find('@');
    if (at != mark.npos && std::string_view(mark).substr(at + 1) == folder &&
        (name.empty() || std::string_view(mark).substr(0, at) == name))
      rows.push_back(row);
  }
  return rows;
}

void signal_process(const ProcessId& id, int signal) {
  // The descriptor holds on to the process, whichever has the number now; then we look which it is.
  const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, id.pid, 0)));
  if (process) {
    if (is_running(id)) ::syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0);
  } else if (errno != ESRCH && is_running(id)) {
    ::kill(id.pid, signal);  // a kernel before 5.3
  }
}

void end_processes(const std::vector<ProcessId>& ids, std::chrono::milliseconds grace) {
  using Steady = std::chrono::steady_clock;
  const auto all_gone = [&] {
    return std::none_of(ids.begin(), ids.end(), [](const ProcessId& id) { return is_running(id); });
  };
  // Strangers by now, so there is no event to wait for that covers them all.
  const auto wait = [&](std::chrono::milliseconds limit) {
    for (const auto end = Steady::now() + limit; !all_gone() && Steady::now() < end;)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
  };
  if (grace.count() > 0) {
    for (const ProcessId& id : ids) signal_process(id, SIGTERM);
    wait(grace);
  }
  for (const ProcessId& id : ids) signal_process(id, SIGKILL);
  wait(std::chrono::seconds(2));
}

void end_descendants() {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (std::chrono::steady_clock::now() < end) {
    // Again and again: what is killed may have started something meanwhile.
    for (const ProcessRow& row : descendants(::getpid()))
      if (!row.zombie) signal_process(row.id, SIGKILL);
    pid_t reaped;
    while ((reaped = ::waitpid(-1, nullptr, WNOHANG)) > 0) {
    }
    if (reaped < 0) return;  // no child is left
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

std::string describe_process(pid_t pid) {
  std::string name = proc_file(pid, "comm");
  if (!name.empty() && name.back() == '\n') name.pop_back();
  std::string words = proc_file(pid, "cmdline");
  while (!words.empty() && words.back() == '\0') words.pop_back();
  for (char& c : words)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  if (words.size() > 80) words = words.substr(0, 77) + "...";
  return fmt::format("{} (pid {}{}{})", name.empty() ? "a process" : name, pid,
                     words.empty() ? "" : ": ", words);
}

std::string boot_id() {
  auto text = read_file("/proc/sys/kernel/random/boot_id", 256);
  if (!text) return "";
  while (!text->empty() && text->back() == '\n') text->pop_back();
  return *std::move(text);
}

}  // namespace aictl::platform
