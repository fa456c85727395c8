#include "tests/conformance/step_driver.hpp"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "plugins/services/inference/forward/forward.hpp"

namespace aictl::test {

StepDriver::StepDriver(Backend& backend, const ModelSpec& spec, const TensorSource& source,
                       RunnerOptions options)
    : spec_(spec), blocks_(options.kv_blocks) {
  auto runner = backend.load(spec_, source, options);
  REQUIRE_MESSAGE(runner.ok(), runner.error().message);
  runner_ = std::move(*runner);
}

// Blocks are handed out with gaps and backwards, so that nothing can rely on their order.
int StepDriver::take_block() {
  REQUIRE(taken_ < blocks_);
  const int i = taken_++, half = (blocks_ + 1) / 2;
  return blocks_ - 1 - (i < half ? 2 * i : 2 * (i - half) + 1);
}

void StepDriver::run(const std::vector<Part>& parts, bool all_hidden) {
  std::vector<int32_t> tokens, positions, tables, logit_rows, hidden_rows;
  std::vector<SeqView> seqs;
  for (const Part& part : parts) {
    Sequence& s = sequences_[part.sequence];
    SeqView view{.first_row = static_cast<int>(tokens.size()),
                 .n_rows = static_cast<int>(part.tokens.size()),
                 .kv_len = s.length + static_cast<int>(part.tokens.size()),
                 .table = static_cast<int>(tables.size())};
    while (static_cast<int>(s.blocks.size()) * kKvBlockTokens < view.kv_len)
      s.blocks.push_back(take_block());
    for (int32_t token : part.tokens) {
      tokens.push_back(token);
      positions.push_back(s.length++);
    }
    tables.insert(tables.end(), s.blocks.begin(), s.blocks.end());
    seqs.push_back(view);
    if (!all_hidden) logit_rows.push_back(static_cast<int32_t>(tokens.size()) - 1);
  }
  for (size_t r = 0; all_hidden && r < tokens.size(); ++r)
    hidden_rows.push_back(static_cast<int32_t>(r));
  inference::forward(runner_->stages(), spec_,
                     {tokens, positions, seqs, tables, logit_rows, hidden_rows},
                     runner_->workspace());
}

std::vector<std::vector<float>> StepDriver::step(const std::vector<Part>& parts) {
  run(parts, false);
  std::vector<std::vector<float>> out;
  const Act logits = runner_->workspace().logits;
  for (size_t i = 0; i < parts.size(); ++i)
    out.emplace_back(logits.row(static_cast<int>(i)),
                     logits.row(static_cast<int>(i)) + spec_.vocab);
  return out;
}

std::vector<std::vector<float>> StepDriver::hidden(const std::vector<Part>& parts) {
  run(parts, true);
  size_t rows = 0;
  for (const Part& part : parts) rows += part.tokens.size();
  std::vector<std::vector<float>> out;
  const Act hidden = runner_->workspace().hidden;
  for (size_t i = 0; i < rows; ++i)
    out.emplace_back(hidden.row(static_cast<int>(i)),
                     hidden.row(static_cast<int>(i)) + spec_.hidden);
  return out;
}

std::vector<float> StepDriver::prefill(int sequence, const std::vector<int32_t>& tokens,
                                       int chunk) {
  std::vector<float> logits;
  for (size_t at = 0; at < tokens.size(); at += static_cast<size_t>(chunk)) {
    const size_t end = std::min(tokens.size(), at + static_cast<size_t>(chunk));
    logits = step({{sequence,
                    {tokens.begin() + static_cast<int64_t>(at),
                     tokens.begin() + static_cast<int64_t>(end)}}})[0];
  }
  return logits;
}

std::vector<int32_t> StepDriver::greedy(int sequence, std::vector<float> logits, int count) {
  std::vector<int32_t> out;
  while (static_cast<int>(out.size()) < count) {
    out.push_back(argmax(logits));
    if (static_cast<int>(out.size()) < count) logits = step({{sequence, {out.back()}}})[0];
  }
  return out;
}

void StepDriver::fork(int from, int to) {
  const Sequence source = sequences_[from];
  Sequence copy{.blocks = {}, .length = source.length};
  for (size_t i = 0; i < source.blocks.size(); ++i) {
    copy.blocks.push_back(take_block());
    runner_->copy_block(
        source.blocks[i], copy.blocks[i],
        std::min(kKvBlockTokens, source.length - static_cast<int>(i) * kKvBlockTokens));
  }
  sequences_[to] = copy;
}

int32_t argmax(const std::vector<float>& logits) {
  return static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

std::vector<double> log_softmax(const std::vector<float>& logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double total = 0;
  for (float x : logits) total += std::exp(x - largest);
  std::vector<double> out;
  for (float x : logits) out.push_back(x - largest - std::log(total));
  return out;
}

}  // namespace aictl::test
