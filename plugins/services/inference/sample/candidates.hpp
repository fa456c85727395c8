// Candidates: the tokens that may still be chosen, and the samplers that leave some of them out.
// Order, everywhere: logit descending, then id ascending; kept sorted only as far as was needed.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace aictl::inference {

struct Candidate {
  float logit;
  int32_t id;
};

/// Each sampler sees the distribution that those before it left, renormalised. Weights are
/// exp(logit - largest logit) in f32, their sums f64, so that sums do not depend on order. Reuses
/// its memory. Used by one thread.
class Candidates {
 public:
  /// Memory for `vocab` candidates.
  explicit Candidates(int vocab);

  /// All logits above -inf, each as its distance to the largest; NaN is none, +inf is the largest
  /// float.
  void assign(std::span<const float> logits);
  /// The same as assign(), temperature(t) and top_k(k), without keeping what is left out.
  void assign_top(std::span<const float> logits, float t, int k);

  bool empty() const { return items_.empty(); }
  size_t size() const { return items_.size(); }
  /// The first `count` (or all) in order.
  std::span<const Candidate> sorted(size_t count);
  float largest() const { return largest_; }
  double weight(const Candidate& c) const;
  double total();
  /// Shannon entropy in nats.
  double entropy();

  /// Divides the distances to the largest logit by `t` > 0.
  void temperature(float t);
  void keep_first(size_t count);
  void top_k(int k);
  /// The fewest whose probability reaches `p`; at least one.
  void top_p(float p);
  /// Those at least `p` times as probable as the first.
  void min_p(float p);
  /// The fewest of those nearest to the expected surprise whose probability reaches `p`.
  /// Source: Meister et al. 2022, "Locally typical sampling".
  void typical(float p);
  /// Logits within `n` standard deviations of the largest. Source: Tang et al. 2024, "Top-n-sigma".
  void top_n_sigma(float n);
  /// All but the last of those with a probability of `threshold` or more go, if there are two.
  void exclude_top(float threshold);

  /// Those with a surprise of at most `bits`, and the first. For mirostat.
  void keep_surprise(float bits);

  /// The one at which the probability, summed in order, exceeds `u` in (0, 1).
  Candidate draw(double u);

 private:
  void changed() { total_ = -1; }
  void keep_at_least(float threshold);
  // How many of the first in order sum up to `target` or more, exceeding it if `strictly`. They are
  // the first of items_ then, in any order but for the last of them.
  size_t reach(double target, bool strictly);
  // Candidates of a lower bucket come before those of a higher one.
  size_t bucket(const Candidate& c) const;
  static constexpr size_t kBuckets = 1024;

  struct Typical {
    double distance, weight;
    Candidate candidate;
  };
  std::vector<Candidate> items_;
  std::vector<Typical> typical_;
  size_t sorted_ = 0;  // the first that many are the first in order
  float largest_ = 0;
  std::vector<double> mass_;  // weights by bucket, when total_ is known
  double total_ = -1;         // of the weights; -1: not known
};

}  // namespace aictl::inference
