// What is known of one request that was sent, and of a whole run. Times are seconds from the
// start of the run, by one monotonic clock.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aictl::load {

/// Why a request counts as failed. A cancelled one (the run was interrupted) is no failure.
enum class Failure {
  kNone,
  kConnect,
  kTimeout,
  kStatus,
  kTruncated,
  kStream,
  kEmpty,
  kLength,
  kCancelled
};

/// "connect", "timeout", "status", "truncated", "stream", "empty", "length", "cancelled".
std::string_view failure_name(Failure failure);
inline constexpr std::array kFailures{Failure::kConnect,   Failure::kTimeout, Failure::kStatus,
                                      Failure::kTruncated, Failure::kStream,  Failure::kEmpty,
                                      Failure::kLength};

struct Record {
  uint64_t index = 0;
  int step = 0;        // of a curve of rates
  double plan = 0;     // it was to be sent
  double handled = 0;  // this program got to it: `handled - plan` is our own lateness
  double start = 0;    // it was given to a connection: `start - handled` was the client's queue
  double sent = 0;     // its first byte was written
  double first = 0;    // first piece with text or reasoning
  double first_answer = 0;               // first piece with text that is no reasoning
  double last = 0;                       // last piece with text
  double end = 0;                        // last byte
  std::vector<float> gaps;               // seconds between pieces
  int64_t asked_in = 0, asked_out = 0;   // tokens; 0: not said
  int64_t in = 0, out = 0, cached = -1;  // tokens, as counted; cached -1: the server does not say
  int64_t pieces = 0;
  bool counted_by_server = false;  // `in` and `out` are of its usage; else `out` is pieces
  int status = 0;
  Failure failure = Failure::kNone;
  std::string error;   // for people
  std::string finish;  // finish_reason

  bool ok() const { return failure == Failure::kNone; }
  double e2e() const { return end - sent; }
  double ttft() const { return first - sent; }
  double ttft_plan() const { return first - plan; }
  /// Time an output token after the first; 0 when there is none.
  double tpot() const { return out >= 2 ? (last - first) / static_cast<double>(out - 1) : 0; }
};

struct Run {
  std::vector<Record> records;  // in the order they were sent
  uint64_t planned = 0;         // requests that were to be sent
  double planned_end = 0;       // seconds; what ends later is completed, and not counted in rates
  double wall = 0;              // seconds until the last answer
  double cpu = 0;               // seconds of processor time this program's thread took
  int64_t unix_start = 0;
  bool open_loop = false, interrupted = false;
  std::vector<std::string> notes;
};

}  // namespace aictl::load
