#include "core/load/workload/workload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace aictl::load {
namespace {

// Streams of the seed: one a purpose, so that none disturbs another.
constexpr uint64_t kRequests = uint64_t{1} << 40, kPrefixes = uint64_t{2} << 40,
                   kBlocks = uint64_t{3} << 40;
constexpr int64_t kMostPrefix = 1 << 22;

}  // namespace

Result<PrefixShare> parse_prefix_share(std::string_view text) {
  PrefixShare share;
  const size_t x = std::min(text.find('x'), text.size());
  const char* end = text.data() + text.size();
  const auto part = std::from_chars(text.data(), text.data() + x, share.part);
  const auto tokens =
      std::from_chars(text.data() + std::min(x + 1, text.size()), end, share.tokens);
  if (part.ec != std::errc() || part.ptr != text.data() + x || tokens.ec != std::errc() ||
      tokens.ptr != end || !(share.part >= 0 && share.part <= 1) || share.tokens < 1 ||
      share.tokens > kMostPrefix)
    return Error{ErrorCode::kInvalidArgument, fmt::format("no share of a prefix '{}'", text),
                 "write PARTxTOKENS, such as 0.5x2048: half of the requests begin with one text"};
  return share;
}

Ask Workload::ask(uint64_t index) {
  if (!trace_.empty()) return of_trace(trace_[index % trace_.size()], index);
  if (!dataset_.rows.empty()) return of_row(dataset_.rows[index % dataset_.rows.size()], index);
  return synthetic(index);
}

// The answer keeps its length as far as it fits; the prompt gives way.
void Workload::clip(int64_t& in, int64_t& out) {
  if (options_.max_tokens == 0 || in + out <= options_.max_tokens) return;
  ++clipped_;
  out = std::min(out, std::max<int64_t>(1, options_.max_tokens / 2));
  in = std::clamp<int64_t>(in, 1, std::max<int64_t>(1, options_.max_tokens - out));
}

Ask Workload::synthetic(uint64_t index) {
  Random random(options_.seed, kRequests + index);
  Ask ask;
  ask.in_tokens = options_.in.draw(random);
  ask.out_tokens = options_.out.draw(random);
  clip(ask.in_tokens, ask.out_tokens);
  std::string text;
  const bool shares = random.uniform() < options_.prefix.part;
  if (shares) {
    Random common(options_.seed,
                  kPrefixes + random.below(static_cast<uint64_t>(options_.prefix.groups)));
    text = lexicon_.write(common, static_cast<double>(options_.prefix.tokens)) + " ";
  }
  const double own = static_cast<double>(ask.in_tokens) - lexicon_.overhead;
  text += lexicon_.write(random, std::max(own, 1.0), !shares);
  if (shares) ask.in_tokens += options_.prefix.tokens;
  ask.prompt = std::move(text);
  return ask;
}

Ask Workload::of_row(const DatasetRow& row, uint64_t index) {
  Random random(options_.seed, kRequests + index);
  Ask ask;
  ask.prompt = row.messages.is_null() ? Json(row.prompt) : row.messages;
  ask.out_tokens = row.out_tokens ? *row.out_tokens : options_.out.draw(random);
  return ask;
}

Ask Workload::of_trace(const TraceRow& row, uint64_t index) {
  Ask ask;
  ask.in_tokens = row.in_tokens;
  ask.out_tokens = row.out_tokens;
  clip(ask.in_tokens, ask.out_tokens);
  double left = std::max(static_cast<double>(ask.in_tokens) - lexicon_.overhead, 1.0);
  std::string text;
  for (const int64_t id : row.blocks) {
    if (left <= 0) break;
    Random block(options_.seed, kBlocks ^ static_cast<uint64_t>(id));
    const double tokens = std::min(left, static_cast<double>(kTraceBlockTokens));
    text += (text.empty() ? "" : " ") + lexicon_.write(block, tokens, text.empty());
    left -= tokens;
  }
  if (left > 0) {
    Random random(options_.seed, kRequests + index);
    text += (text.empty() ? "" : " ") + lexicon_.write(random, left, text.empty());
  }
  ask.prompt = std::move(text);
  return ask;
}

}  // namespace aictl::load
