// Job, CronJob.
#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "core/manifest/rules/tables.hpp"
#include "core/manifest/rules/walk.hpp"

namespace aictl::manifest {
namespace {

constexpr size_t kMaxCronName = 52;  // the controller adds 11 for each Job, whose name is a label
constexpr size_t kMaxJobName = 63;

// A column of a schedule: its bounds, and the names that stand for numbers.
struct Column {
  std::string_view name;
  int least, most;
  std::string_view words;  // three letters each, from `least` on
};
constexpr std::array<Column, 5> kColumns = {
    {{"minute", 0, 59, ""},
     {"hour", 0, 23, ""},
     {"day", 1, 31, ""},
     {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
     {"weekday", 0, 6, "sunmontuewedthufrisat"}}};

// The number a part of a column stands for; -1 when it is none.
int number_of(std::string_view part, const Column& column) {
  int value = -1;
  const auto read = std::from_chars(part.data(), part.data() + part.size(), value);
  if (read.ec == std::errc() && read.ptr == part.data() + part.size()) return value;
  std::string lower(part);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  const size_t at = lower.size() == 3 ? column.words.find(lower) : column.words.npos;
  return at == column.words.npos || at % 3 != 0 ? -1 : column.least + int(at / 3);
}

// One of the ranges of a column: *, 5, 1-5, */10, 1-30/5.
bool is_range(std::string_view range, const Column& column) {
  const size_t slash = range.find('/');
  if (slash != range.npos) {
    int step = 0;
    const std::string_view text = range.substr(slash + 1);
    const auto read = std::from_chars(text.data(), text.data() + text.size(), step);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size() || step < 1) return false;
    range = range.substr(0, slash);
  }
  if (range == "*" || range == "?") return true;
  const size_t dash = range.find('-');
  const int first = number_of(range.substr(0, dash), column);
  const int last = dash == range.npos ? first : number_of(range.substr(dash + 1), column);
  return first >= column.least && first <= last && last <= column.most;
}

std::string schedule_error(std::string_view schedule) {
  if (schedule.starts_with('@')) {
    constexpr std::array<std::string_view, 7> kWords = {
        "@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"};
    if (std::ranges::count(kWords, schedule) > 0 || schedule.starts_with("@every ")) return "";
    return fmt::format("'{}' is not a cron schedule", schedule);
  }
  std::vector<std::string_view> columns;
  for (size_t at = 0; at < schedule.size();) {
    const size_t end = std::min(schedule.find(' ', at), schedule.size());
    if (end > at) columns.push_back(schedule.substr(at, end - at));
    at = end + 1;
  }
  if (columns.size() != kColumns.size())
    return fmt::format("'{}' is not a cron schedule", schedule);
  for (size_t i = 0; i < columns.size(); ++i)
    for (std::string_view rest = columns[i];;) {
      const size_t comma = rest.find(',');
      if (!is_range(rest.substr(0, comma), kColumns[i]))
        return fmt::format("'{}' is not a {} of a cron schedule", columns[i], kColumns[i].name);
      if (comma == rest.npos) break;
      rest.remove_prefix(comma + 1);
    }
  return "";
}

void check_failure_rule(const Document& document, const Entry& rule,
                        const std::set<std::string_view>& containers, bool by_index,
                        Report& report) {
  const Json* codes = member(*rule.value, "onExitCodes");
  const bool exit_codes = codes != nullptr && codes->is_object();
  if (exit_codes == is_set(*rule.value, "onPodConditions"))
    report.error(document, rule.path, "server/exclusive",
                 "needs exactly one of onExitCodes, onPodConditions");
  if (text(*rule.value, "action") == "FailIndex" && !by_index)
    report.error(document, rule.path + ".action", "server/exclusive",
                 "FailIndex needs backoffLimitPerIndex");
  if (!exit_codes) return;
  const std::string path = rule.path + ".onExitCodes";
  if (const std::string_view name = text(*codes, "containerName");
      !name.empty() && !containers.contains(name))
    report.error(document, path + ".containerName", "server/exclusive",
                 fmt::format("no container is named '{}'", name));
  const Json* values = member(*codes, "values");
  if (values == nullptr || !values->is_array()) return;
  int64_t before = INT64_MIN;
  for (const Json& value : *values) {
    if (!value.is_number_integer()) continue;
    const auto code = value.get<int64_t>();
    if (code == 0 && text(*codes, "operator") == "In")
      report.error(document, path + ".values", "server/range", "0 is success, no failure");
    if (code <= before)
      report.error(document, path + ".values", "server/duplicate",
                   "must be in order, each number once");
    before = code;
  }
}

void check_failure_policy(const Document& document, const std::string& path, const Json& spec,
                          Report& report) {
  std::set<std::string_view> containers;
  const Json& pod = mapping(spec, {"template", "spec"});
  for (const std::string_view list : {"containers", "initContainers"})
    for (const Entry& container : entries(pod, list, ""))
      containers.insert(text(*container.value, "name"));
  for (const Entry& rule :
       entries(mapping(spec, {"podFailurePolicy"}), "rules", path + ".podFailurePolicy"))
    check_failure_rule(document, rule, containers, spec.contains("backoffLimitPerIndex"), report);
  if (text(spec, "podReplacementPolicy") == "TerminatingOrFailed")
    report.error(document, path + ".podReplacementPolicy", "server/exclusive",
                 "must be Failed with a podFailurePolicy");
}

void check_job(const Document& document, const std::string& path, const Json& spec,
               Report& report) {
  const std::string_view policy = text(mapping(spec, {"template", "spec"}), "restartPolicy");
  if (policy != "Never" && policy != "OnFailure")
    report.error(document, path + ".template.spec.restartPolicy", "server/restart-policy",
                 "must be Never or OnFailure in a Job");
  const bool indexed = text(spec, "completionMode") == "Indexed";
  if (indexed && member(spec, "completions") == nullptr)
    report.error(document, path + ".completions", "server/required",
                 "required field is missing: completionMode is Indexed");
  for (const std::string_view field : {"backoffLimitPerIndex", "maxFailedIndexes"})
    if (!indexed && member(spec, field) != nullptr)
      report.error(document, join(path, field), "server/exclusive",
                   "only with completionMode Indexed");
  if (indexed && integer(spec, "parallelism", 0) > 100'000)
    report.error(document, path + ".parallelism", "server/range", "is above the maximum 100000");
  if (member(spec, "selector") != nullptr && !is_true(spec, "manualSelector"))
    report.error(document, path + ".selector", "server/exclusive", "is generated",
                 "leave it out, or set manualSelector");
  if (const Json* failures = member(spec, "podFailurePolicy");
      failures != nullptr && failures->is_object()) {
    if (policy == "OnFailure")
      report.error(document, path + ".template.spec.restartPolicy", "server/restart-policy",
                   "must be Never with a podFailurePolicy");
    check_failure_policy(document, path, spec, report);
  }
}

void check_cron_job(const Document& document, const Json& spec, Report& report) {
  check_job(document, "spec.jobTemplate.spec", mapping(spec, {"jobTemplate", "spec"}), report);
  const std::string_view schedule = text(spec, "schedule");
  if (schedule.find("TZ") != schedule.npos)
    report.error(document, "spec.schedule", "server/schedule",
                 fmt::format("'{}' names a time zone", schedule), "write it in spec.timeZone");
  else if (!schedule.empty())
    if (std::string wrong = schedule_error(schedule); !wrong.empty())
      report.error(document, "spec.schedule", "server/schedule", std::move(wrong),
                   "minute hour day month weekday");
  const Json* zone = member(spec, "timeZone");
  const std::string_view name = text(spec, "timeZone");
  const bool is_zone = !name.empty() && name != "Local" && name.front() != '/' &&
                       std::ranges::all_of(name, [](char c) {
                         return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                (c >= '0' && c <= '9') || c == '/' || c == '_' || c == '-' ||
                                c == '+';
                       });
  if (zone != nullptr && zone->is_string() && !is_zone)
    report.error(document, "spec.timeZone", "server/schedule",
                 fmt::format("'{}' is not a time zone", name), "such as Europe/Berlin or Etc/UTC");
  if (document.name().size() > kMaxCronName)
    report.error(document, "metadata.name", "server/name",
                 fmt::format("{} characters, at most {} in a CronJob", document.name().size(),
                             kMaxCronName));
}

}  // namespace

void check_jobs(Documents documents, const Context&, Report& report) {
  for (const Document& document : documents) {
    if (document.known == nullptr) continue;
    const Json& spec = mapping(document.object, {"spec"});
    if (is_kind(document, "batch", "CronJob")) check_cron_job(document, spec, report);
    if (!is_kind(document, "batch", "Job")) continue;
    check_job(document, "spec", spec, report);
    if (document.name().size() > kMaxJobName)
      report.error(document, "metadata.name", "server/name",
                   fmt::format("{} characters, at most {} in a Job, whose pods have it as label",
                               document.name().size(), kMaxJobName));
  }
}

}  // namespace aictl::manifest
