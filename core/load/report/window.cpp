#include "core/load/report/window.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

#include <fmt/format.h>

#include "core/base/units.hpp"
#include "core/load/stats/tests.hpp"

namespace aictl::load {

Result<Warmup> parse_warmup(std::string_view text) {
  if (text == "auto") return Warmup{};
  uint64_t requests = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), requests);
  if (wrong == std::errc() && end == text.data() + text.size())
    return Warmup{Warmup::Kind::kRequests, static_cast<double>(requests)};
  if (auto duration = parse_duration(text); duration && duration->count() >= 0)
    return Warmup{Warmup::Kind::kSeconds, std::chrono::duration<double>(*duration).count()};
  return Error{ErrorCode::kInvalidArgument, fmt::format("no warm-up '{}'", text),
               "write auto, a number of requests, or a time such as 10s"};
}

Window find_window(const Run& run, std::span<const Record* const> by_plan, const Warmup& warmup) {
  Window window{0, run.planned_end, 0};
  if (by_plan.empty()) return window;
  size_t drop = 0;
  if (warmup.kind == Warmup::Kind::kRequests)
    drop = static_cast<size_t>(std::min(warmup.amount, static_cast<double>(by_plan.size())));
  if (warmup.kind == Warmup::Kind::kAuto) {
    const Concurrency concurrency = concurrency_of(by_plan, window);
    std::vector<double> ttft;
    for (const Record* record : by_plan)
      ttft.push_back(record->ok() ? record->ttft() : ttft.empty() ? 0 : ttft.back());
    drop = std::max(warmup_length(ttft), warmup_length(concurrency.at_send));
  }
  if (warmup.kind == Warmup::Kind::kSeconds)
    window.from = std::min(warmup.amount, window.to);
  else if (drop > 0)
    window.from = drop < by_plan.size() ? std::min(by_plan[drop]->plan, window.to) : window.to;
  for (const Record* record : by_plan) window.warmup_requests += record->plan < window.from;
  return window;
}

Concurrency concurrency_of(std::span<const Record* const> by_plan, const Window& window) {
  struct Change {
    double at;
    int by;
  };
  std::vector<Change> changes;
  for (const Record* record : by_plan) {
    if (record->sent <= 0 && record->failure == Failure::kConnect) continue;  // it never ran
    changes.push_back({record->sent, 1});
    changes.push_back({record->end, -1});
  }
  // At the same instant an end comes before a beginning: intervals are open at their end.
  std::sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) {
    return a.at != b.at ? a.at < b.at : a.by < b.by;
  });
  Concurrency out;
  std::vector<std::pair<double, int64_t>> levels;
  int64_t running = 0;
  double area = 0, before = window.from;
  for (const Change& change : changes) {
    const double at = std::clamp(change.at, window.from, window.to);
    area += static_cast<double>(running) * (at - before);
    before = at;
    running += change.by;
    out.peak = std::max(out.peak, running);
    levels.emplace_back(change.at, running);
  }
  if (window.seconds() > 0) out.mean = area / window.seconds();
  for (const Record* record : by_plan) {
    const auto after = std::upper_bound(
        levels.begin(), levels.end(), record->sent,
        [](double at, const std::pair<double, int64_t>& level) { return at < level.first; });
    out.at_send.push_back(after == levels.begin() ? 0
                                                  : static_cast<double>(std::prev(after)->second));
  }
  return out;
}

bool is_saturated(std::span<const Record* const> by_plan, const Concurrency& concurrency,
                  const Window& window, double least_seconds) {
  if (window.seconds() < least_seconds) return false;
  std::vector<double> when, running, ttft;
  for (size_t i = 0; i < by_plan.size(); ++i) {
    const Record& record = *by_plan[i];
    if (!record.ok() || !window.has(record)) continue;
    when.push_back(record.plan);
    running.push_back(concurrency.at_send[i]);
    ttft.push_back(record.ttft());
  }
  const auto more = linear_trend(when, running), slower = linear_trend(when, ttft);
  return more && slower && more->ci.low > 0 && slower->ci.low > 0;
}

}  // namespace aictl::load
