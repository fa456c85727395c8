// Recorded traffic: when requests came and how long they were. Reads the traces people publish.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace aictl::load {

struct TraceRow {
  double at = 0;  // seconds from the first row
  int64_t in_tokens = 0, out_tokens = 0;
  std::vector<int64_t> blocks;  // of 512 tokens; the same number is the same text
};

struct Trace {
  std::string format;          // "mooncake", "azure", "burstgpt"
  std::vector<TraceRow> rows;  // by time
  uint64_t skipped = 0;        // rows of requests that failed when they were recorded
};

inline constexpr int64_t kTraceBlockTokens = 512;

/// Mooncake JSONL {timestamp (ms), input_length, output_length, hash_ids[]}; Azure CSV
/// TIMESTAMP,ContextTokens,GeneratedTokens; BurstGPT CSV Timestamp,Model,Request tokens,Response
/// tokens,...: told apart by the first line. Errors: kDataRefused naming `name` and the line.
Result<Trace> parse_trace(std::string_view text, std::string_view name);

}  // namespace aictl::load
