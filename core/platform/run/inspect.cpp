#include "core/platform/run/inspect.hpp"

#include <algorithm>
#include <csignal>
#include <ostream>
#include <thread>

#include <fmt/format.h>

#include "core/base/clock.hpp"
#include "core/base/nearest.hpp"
#include "core/base/signals.hpp"
#include "core/base/units.hpp"
#include "core/cli/terminal/table.hpp"
#include "core/platform/run/state/rotating_log.hpp"

namespace aictl::platform {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kLookAgain{50};  // at what another process does: there is no event for it

Json row_json(const JournalRow& row, bool supervised, bool same_boot) {
  const bool runs = same_boot && is_running(row.process);
  std::string status = row.status;
  if (row.process.pid != 0 && !runs) status = "gone";
  if (!supervised) status = runs ? "orphaned" : "gone";
  Json ports = Json::object();
  for (const auto& [name, port] : row.ports) ports[name] = port;
  return {{"name", row.name},
          {"status", status},
          {"pid", runs ? Json(row.process.pid) : Json()},
          {"url", row.url.empty() ? Json() : Json(row.url)},
          {"ports", ports},
          {"restarts", row.restarts},
          {"since", row.since},
          {"ended", row.ended.empty() ? Json() : Json(row.ended)},
          {"argv", row.argv},
          {"log", row.log}};
}

// Names of the processes that have a log here.
std::vector<std::string> logged_names(const StateFolder& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder.path() / "logs", error), end; !error && entry != end;
       entry.increment(error))
    if (entry->path().extension() == ".log") names.push_back(entry->path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

// Waits until nobody holds the lock; whether that came true within `limit`.
bool wait_unlocked(const StateFolder& folder, seconds limit, const Signals& signals) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (folder.is_locked()) {
    if (std::chrono::steady_clock::now() >= end || signals.count() > 0) return false;
    signals.wait(0, kLookAgain);
  }
  return true;
}

// What the processes may take, one after the other at worst, and time to start and to write.
seconds longest_stop(const StateFolder& folder) {
  seconds sum{15};
  if (const auto journal = read_journal(folder))
    for (const JournalRow& row : journal->rows) sum += seconds(row.shutdown_seconds);
  return sum;
}

Result<int> clean_up(StateFolder& folder, cli::Context& context) {
  std::error_code error;
  if (!fs::exists(folder.journal(), error)) {
    context.note("nothing is up");
    return 0;
  }
  if (auto locked = folder.lock(); !locked) return std::move(locked).error();
  for (const std::string& stopped : repair(folder))
    context.note(fmt::format("stopped {}, left by an `up` that was killed", stopped));
  return 0;
}

}  // namespace

Result<Standing> standing_of(const StateFolder& folder) {
  auto journal = read_journal(folder);
  if (!journal && journal.error().code == ErrorCode::kNotFound)
    return Error{ErrorCode::kNotFound, fmt::format("nothing is up in {}", folder.path().string()),
                 "start it: aictl up"};
  if (!journal) return std::move(journal).error();
  return Standing{StateFolder(folder.path()), *std::move(journal), folder.is_locked()};
}

std::vector<Standing> all_standing(const fs::path& root) {
  std::vector<fs::path> folders;
  std::error_code error;
  for (fs::directory_iterator entry(root, error), end; !error && entry != end;
       entry.increment(error))
    folders.push_back(entry->path());
  std::sort(folders.begin(), folders.end());
  std::vector<Standing> all;
  for (const fs::path& path : folders)
    if (auto standing = standing_of(StateFolder(path))) all.push_back(*std::move(standing));
  return all;
}

Json standing_json(const std::vector<Standing>& all) {
  Json platforms = Json::array();
  const std::string boot = boot_id();
  for (const Standing& each : all) {
    const Journal& journal = each.journal;
    Json rows = Json::array();
    for (const JournalRow& row : journal.rows)
      rows.push_back(row_json(row, each.supervised, journal.boot == boot));
    platforms.push_back({{"name", journal.platform},
                         {"status", !each.supervised   ? "killed"
                                    : journal.stopping ? "stopping"
                                                       : "up"},
                         {"pid", each.supervised ? Json(journal.supervisor.pid) : Json()},
                         {"file", journal.file},
                         {"state", each.folder.path().string()},
                         {"since", journal.since},
                         {"workloads", rows}});
  }
  return {{"platforms", platforms}};
}

void print_standing(const Json& all, int64_t now, std::ostream& out) {
  cli::Table table({"PLATFORM", "NAME", "STATUS", "FOR", "RESTARTS", "PID", "URL"});
  table.right(4).right(5);
  for (const Json& platform : all["platforms"])
    for (const Json& row : platform["workloads"]) {
      const int64_t age = std::max<int64_t>(0, now - row["since"].get<int64_t>());
      const std::string time =
          age < 60 ? fmt::format("{}s", age) : format_duration(std::chrono::seconds(age));
      table.row({platform["name"], row["name"], row["status"], time,
                 fmt::format("{}", row["restarts"].get<int>()),
                 row["pid"].is_null() ? "-" : fmt::format("{}", row["pid"].get<int>()),
                 row["url"].is_null() ? "-" : row["url"].get<std::string>()});
    }
  table.print(out);
}

Result<int> print_log(const StateFolder& folder, const std::string& name, const LogOptions& options,
                      cli::Context& context) {
  const std::vector<std::string> names = logged_names(folder);
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    const std::vector<std::string_view> views(names.begin(), names.end());
    std::string hint = did_you_mean(name, views);
    if (hint.empty() && !names.empty()) hint = fmt::format("there are: {}", fmt::join(names, ", "));
    if (hint.empty()) hint = "nothing was ever up there: aictl up";
    return Error{ErrorCode::kNotFound, fmt::format("no log of '{}'", name), hint};
  }
  const Signals signals{SIGINT, SIGTERM};
  auto reader = LogReader::open(folder.log(name));
  if (!reader) return std::move(reader).error();
  auto text = reader->tail(options.tail);
  if (!text) return std::move(text).error();
  context.out() << *text << std::flush;
  while (options.follow && signals.count() == 0 && !context.reader_gone()) {
    const bool last = !folder.is_locked();  // asked first: then what comes below is all
    context.out() << reader->more() << std::flush;
    if (last) break;
    signals.wait(0, kLookAgain);
  }
  return 0;
}

Result<int> down(StateFolder folder, seconds limit, bool at_once, cli::Context& context) {
  if (!folder.is_locked()) return clean_up(folder, context);
  const Signals signals{SIGINT, SIGTERM};
  const auto supervisor = folder.locker();
  const auto ask = [&] {
    if (supervisor) signal_process(*supervisor, SIGTERM);
  };
  const seconds patience = at_once ? seconds(0) : limit.count() > 0 ? limit : longest_stop(folder);
  ask();
  if (wait_unlocked(folder, patience, signals)) {
    context.note("stopped");
    return 0;
  }
  if (signals.count() > 0)
    return Error{ErrorCode::kCancelled, "it goes on stopping, unwatched", "see it: aictl ps"};
  if (!at_once) context.warn(fmt::format("not stopped after {}s: killing it", patience.count()));
  if (at_once) std::this_thread::sleep_for(kLookAgain);  // two at once would count as one signal
  ask();
  if (wait_unlocked(folder, seconds(20), signals)) {
    context.note("stopped");
    return 0;
  }
  return Error{ErrorCode::kDeadlineExceeded,
               fmt::format("process {} does not stop", supervisor ? supervisor->pid : 0),
               "end it yourself: kill -9 of that process ends all it started"};
}

}  // namespace aictl::platform
