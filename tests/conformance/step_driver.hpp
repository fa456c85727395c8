// Drives a backend through forward(), as the engine does, with the simplest bookkeeping there is:
// for tests that need logits and no scheduler.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "core/plugin/backend.hpp"

namespace aictl::test {

/// Some next tokens of one sequence.
struct Part {
  int sequence = 0;
  std::vector<int32_t> tokens;
};

class StepDriver {
 public:
  /// `source` must outlive the driver.
  StepDriver(Backend& backend, const ModelSpec& spec, const TensorSource& source,
             RunnerOptions options = {});

  /// One step. Returns the logits of each part's last row.
  std::vector<std::vector<float>> step(const std::vector<Part>& parts);
  /// The final hidden states of all rows of a step, row by row.
  std::vector<std::vector<float>> hidden(const std::vector<Part>& parts);
  /// Feeds a prompt in chunks of at most `chunk` tokens; the logits after its last token.
  std::vector<float> prefill(int sequence, const std::vector<int32_t>& tokens, int chunk);
  /// Greedy tokens after `logits`, ties to the lower id.
  std::vector<int32_t> greedy(int sequence, std::vector<float> logits, int count);
  /// Gives `to` a copy of what `from` has computed: whole blocks and the partial one.
  void fork(int from, int to);

  /// Forgets all but the first `length` tokens of a sequence: what comes next is written over them.
  void rewind(int sequence, int length) { sequences_[sequence].length = length; }

  Runner& runner() { return *runner_; }

 private:
  struct Sequence {
    std::vector<int32_t> blocks;
    int length = 0;
  };
  void run(const std::vector<Part>& parts, bool all_hidden);
  int take_block();

  ModelSpec spec_;
  std::unique_ptr<Runner> runner_;
  std::map<int, Sequence> sequences_;
  int blocks_, taken_ = 0;
};

/// Index of the largest, the first of equals.
int32_t argmax(const std::vector<float>& logits);
std::vector<double> log_softmax(const std::vector<float>& logits);

}  // namespace aictl::test
