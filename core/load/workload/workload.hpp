// What is asked: the request of each index, the same whatever else was asked before.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/load/arrival/trace.hpp"
#include "core/load/workload/dataset.hpp"
#include "core/load/workload/lengths.hpp"
#include "core/load/workload/prompts.hpp"
#include "core/value/json.hpp"

namespace aictl::load {

/// A shared beginning of prompts: that part of the requests has one of `groups` texts of `tokens`
/// in front of its own.
struct PrefixShare {
  double part = 0;  // of the requests, 0..1
  int64_t tokens = 0;
  int64_t groups = 1;
};

/// "0.5x2048". Errors: kInvalidArgument.
Result<PrefixShare> parse_prefix_share(std::string_view text);

struct WorkloadOptions {
  Lengths in, out;
  PrefixShare prefix;
  int64_t max_tokens = 0;  // of prompt and answer together, longer ones are clipped; 0: no bound
  uint64_t seed = 0;
};

struct Ask {
  Json prompt;                            // a text, or messages
  int64_t in_tokens = 0, out_tokens = 0;  // 0: not known
};

/// One of three: synthetic texts, the rows of a dataset in turn, or the rows of a trace with
/// made-up texts in which equal blocks are equal text.
class Workload {
 public:
  Workload(WorkloadOptions options, Lexicon lexicon)
      : options_(options), lexicon_(std::move(lexicon)) {}
  Workload(WorkloadOptions options, Lexicon lexicon, Dataset dataset)
      : options_(options), lexicon_(std::move(lexicon)), dataset_(std::move(dataset)) {}
  Workload(WorkloadOptions options, Lexicon lexicon, std::vector<TraceRow> trace)
      : options_(options), lexicon_(std::move(lexicon)), trace_(std::move(trace)) {}

  Ask ask(uint64_t index);
  /// Requests so far that were clipped to max_tokens.
  uint64_t clipped() const { return clipped_; }
  const Lexicon& lexicon() const { return lexicon_; }

 private:
  void clip(int64_t& in, int64_t& out);
  Ask synthetic(uint64_t index);
  Ask of_row(const DatasetRow& row, uint64_t index);
  Ask of_trace(const TraceRow& row, uint64_t index);

  WorkloadOptions options_;
  Lexicon lexicon_;
  Dataset dataset_;
  std::vector<TraceRow> trace_;
  uint64_t clipped_ = 0;
};

}  // namespace aictl::load
