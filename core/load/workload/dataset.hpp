// Recorded conversations as prompts: ShareGPT's JSON, and JSON lines.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/load/workload/prompts.hpp"
#include "core/value/json.hpp"

namespace aictl::load {

struct DatasetRow {
  std::string prompt;  // empty when there are messages
  Json messages;       // null, or an array as in a chat request
  std::string answer;  // what was answered when it was recorded; may be empty
  std::optional<int64_t> out_tokens;
};

struct Dataset {
  std::string format;  // "sharegpt", "jsonl"
  std::vector<DatasetRow> rows;
  uint64_t skipped = 0;  // without a pair of question and answer, or of unfit length
};

/// A JSON array of {conversations: [{from, value}]}: the first question of a human and the answer
/// to it; or lines of {prompt | messages, output_len?}. Errors: kDataRefused naming `name` and the
/// place.
Result<Dataset> parse_dataset(std::string_view text, std::string_view name);

/// Gives each of the first `wanted` fit rows its out_tokens, counted from the answer, and drops
/// prompts of fewer than 4 tokens or over 1024, and pairs of over 2048: the rows others measure
/// with. Errors: as `count`.
Result<void> fit_dataset(Dataset& dataset, uint64_t wanted, const CountTokens& count);

}  // namespace aictl::load
