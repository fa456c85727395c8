#include "core/platform/run/state/journal.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace aictl::platform {
namespace {

constexpr std::chrono::milliseconds kOrphanGrace{3000};

Json row_json(const JournalRow& row) {
  Json ports = Json::object();
  for (const auto& [name, port] : row.ports) ports[name] = port;
  return {{"name", row.name},
          {"status", row.status},
          {"pid", row.process.pid},
          {"start", row.process.start},
          {"argv", row.argv},
          {"ports", ports},
          {"url", row.url},
          {"log", row.log},
          {"ended", row.ended},
          {"restarts", row.restarts},
          {"shutdown_seconds", row.shutdown_seconds},
          {"since", row.since}};
}

// A value of the kind asked for, or the default of that kind: a journal of another version is read
// as far as it goes.
template <typename T>
T value(const Json& tree, const char* key) {
  const auto found = tree.find(key);
  if (found == tree.end()) return {};
  if constexpr (std::is_same_v<T, std::string>)
    return found->is_string() ? found->template get<std::string>() : T{};
  else if constexpr (std::is_same_v<T, bool>)
    return found->is_boolean() && found->template get<bool>();
  else
    return found->is_number_integer() ? found->template get<T>() : T{};
}

JournalRow parse_row(const Json& tree) {
  JournalRow row;
  row.name = value<std::string>(tree, "name");
  row.status = value<std::string>(tree, "status");
  row.process = {value<pid_t>(tree, "pid"), value<uint64_t>(tree, "start")};
  if (const auto argv = tree.find("argv"); argv != tree.end() && argv->is_array())
    for (const Json& word : *argv)
      if (word.is_string()) row.argv.push_back(word.get<std::string>());
  if (const auto ports = tree.find("ports"); ports != tree.end() && ports->is_object())
    for (const auto& [name, port] : ports->items())
      if (port.is_number_integer()) row.ports.emplace_back(name, port.get<int>());
  row.url = value<std::string>(tree, "url");
  row.log = value<std::string>(tree, "log");
  row.ended = value<std::string>(tree, "ended");
  row.restarts = value<int>(tree, "restarts");
  row.shutdown_seconds = value<int>(tree, "shutdown_seconds");
  row.since = value<int64_t>(tree, "since");
  return row;
}

}  // namespace

Json journal_json(const Journal& journal) {
  Json rows = Json::array();
  for (const JournalRow& row : journal.rows) rows.push_back(row_json(row));
  return {{"version", 1},
          {"platform", journal.platform},
          {"file", journal.file},
          {"digest", journal.digest},
          {"boot", journal.boot},
          {"pid", journal.supervisor.pid},
          {"start", journal.supervisor.start},
          {"since", journal.since},
          {"stopping", journal.stopping},
          {"workloads", rows}};
}

Result<Journal> parse_journal(std::string_view text) {
  auto tree = parse_json(text);
  if (!tree) return std::move(tree).error();
  if (!tree->is_object() || value<int>(*tree, "version") != 1 || !tree->contains("workloads") ||
      !(*tree)["workloads"].is_array())
    return Error{ErrorCode::kDataRefused, "this is not a journal of version 1", ""};
  Journal journal;
  journal.platform = value<std::string>(*tree, "platform");
  journal.file = value<std::string>(*tree, "file");
  journal.digest = value<std::string>(*tree, "digest");
  journal.boot = value<std::string>(*tree, "boot");
  journal.supervisor = {value<pid_t>(*tree, "pid"), value<uint64_t>(*tree, "start")};
  journal.since = value<int64_t>(*tree, "since");
  journal.stopping = value<bool>(*tree, "stopping");
  for (const Json& row : (*tree)["workloads"])
    if (row.is_object()) journal.rows.push_back(parse_row(row));
  return journal;
}

Result<Journal> read_journal(const StateFolder& folder) {
  auto text = read_file(folder.journal());
  if (!text) return std::move(text).error();
  auto journal = parse_journal(*text);
  if (!journal) return std::move(journal).error().within(folder.journal().string());
  return journal;
}

Result<void> write_journal(const StateFolder& folder, const Journal& journal) {
  return write_file_atomically(folder.journal(), dump_json(journal_json(journal), 1) + "\n");
}

std::vector<std::string> repair(const StateFolder& folder) {
  std::vector<ProcessId> left;
  for (const ProcessRow& row : marked_processes(folder.path().string())) left.push_back(row.id);
  if (auto journal = read_journal(folder); journal && journal->boot == boot_id())
    for (const JournalRow& row : journal->rows)
      if (is_running(row.process) && std::find(left.begin(), left.end(), row.process) == left.end())
        left.push_back(row.process);
  std::vector<std::string> stopped;
  for (const ProcessId& id : left) stopped.push_back(describe_process(id.pid));
  end_processes(left, kOrphanGrace);
  // What those have started since they were listed.
  for (int round = 0; round < 10 && !left.empty(); ++round) {
    left.clear();
    for (const ProcessRow& row : marked_processes(folder.path().string())) left.push_back(row.id);
    end_processes(left, std::chrono::milliseconds(0));
  }
  folder.remove_leftovers();
  std::error_code ignored;
  std::filesystem::remove(folder.journal(), ignored);
  return stopped;
}

}  // namespace aictl::platform
