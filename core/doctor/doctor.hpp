// The doctor: rules that read a machine and say what is wrong with it, what that costs and how to
// mend it. Each rule is a pure function; what it would need and does not have it names.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/doctor/workload.hpp"
#include "core/topology/topology.hpp"
#include "core/value/json.hpp"

namespace aictl::doctor {

/// What the rules look at. Borrows: the topologies and the workload outlive it.
struct Input {
  /// The machine, oldest first, at least one; more than one where counters shall be compared.
  std::span<const Topology> samples;
  /// From the first sample to the last.
  std::chrono::nanoseconds interval{0};
  const Workload& workload;

  const Topology& now() const { return samples.back(); }
  const Topology& before() const { return samples.front(); }
  bool has_interval() const { return samples.size() > 1 && interval.count() > 0; }
};

enum class Severity { kWarn, kError };

struct Finding {
  std::string rule;  // "T01"
  Severity severity = Severity::kWarn;
  std::string title;     // what is wrong, in a line: "gpu0: PCIe x8 of x16"
  std::string evidence;  // the numbers it was found by
  std::string cost;      // what it costs, with a number where one is known
  std::string fix;       // a command or a setting
  double loss = 0;       // share of the speed that is lost, 0..1, for the order; 1: does not work
};

/// What a rule says: findings, or why it could not look. Neither: all is well.
struct Verdict {
  std::vector<Finding> findings;
  std::string not_checked;

  static Verdict skip(std::string why) { return {{}, std::move(why)}; }
};

struct Rule {
  std::string_view id, title;
  Severity severity;       // the worst it says
  std::string_view needs;  // the facts it reads
  Verdict (*check)(const Input&);
};

/// All 28, in the order of their ids.
std::span<const Rule> rules();

struct Skipped {
  std::string rule, why;
};

struct Report {
  std::vector<Finding> findings;  // errors first, then by loss, then by rule
  std::vector<Skipped> skipped;
  std::vector<std::string> passed;

  int count(Severity severity) const;
};

/// Runs the rules whose ids are in `only`, all when it is empty. Errors: kInvalidArgument for an id
/// that does not exist.
Result<Report> examine(const Input& input, std::span<const std::string> only);

/// The one sentence to end with: what costs most.
std::string last_word(const Report& report);

/// "warn", "error".
std::string_view word(Severity severity);

/// {"findings":[{rule,severity,title,evidence,cost,loss,fix}],"skipped":[{rule,why}],"passed":[],
/// "errors":n,"warnings":n,"summary":"..."}.
Json to_json(const Report& report);

}  // namespace aictl::doctor
