#include "plugins/services/inference/sched/cost/step_cost.hpp"

#include <algorithm>
#include <cmath>

namespace aictl::inference {
namespace {

// The first guess, a small machine's; the first steps correct it.
constexpr double kBytesPerSecond = 15e9, kOperationsPerSecond = 4e11;
constexpr double kDecay = 1 - 1.0 / 64;
constexpr double kInertia = 0.02;  // weight of the last prices, in steps
constexpr double kLeastPrice = 1e-6;
constexpr int kTrusted = 8;  // steps after which a far outlier is cut
constexpr double kOutlier = 4;
constexpr double kShareOfWeights = 1.0 / 8;

}  // namespace

StepCost::Terms StepCost::terms(const StepShape& s) const {
  const double bytes = work_.weight_bytes + work_.position_bytes * static_cast<double>(s.positions);
  const double operations = work_.row_operations * s.rows + work_.logit_operations * s.logit_rows +
                            work_.position_operations * static_cast<double>(s.pairs);
  return {bytes / kBytesPerSecond, operations / kOperationsPerSecond};
}

double StepCost::predict(const StepShape& shape) const {
  if (!known()) return 0;
  const Terms t = terms(shape);
  return bytes_price_ * t.bytes + operations_price_ * t.operations;
}

double StepCost::row(int context, bool logits) const {
  const double operations = work_.row_operations + (logits ? work_.logit_operations : 0) +
                            work_.position_operations * context;
  return operations_price_ * operations / kOperationsPerSecond;
}

int StepCost::enough_rows() const {
  constexpr double kMost = 1e6;
  if (!known()) return static_cast<int>(kMost);
  const double weights = bytes_price_ * work_.weight_bytes / kBytesPerSecond;
  return static_cast<int>(std::min(kMost, std::ceil(weights / kShareOfWeights / row(0, false))));
}

void StepCost::observe(const StepShape& shape, double seconds) {
  if (!known() || !(seconds > 0)) return;
  if (++observed_ > kTrusted) {
    const double expected = predict(shape);
    seconds = std::clamp(seconds, expected / kOutlier, expected * kOutlier);
  }
  const Terms t = terms(shape);
  const double bytes = t.bytes / seconds, operations = t.operations / seconds;
  bb_ = kDecay * bb_ + bytes * bytes;
  bo_ = kDecay * bo_ + bytes * operations;
  oo_ = kDecay * oo_ + operations * operations;
  b_ = kDecay * b_ + bytes;
  o_ = kDecay * o_ + operations;
  fit();
}

// (A + r I) p = b + r p_old, with r in the scale of A: where A says nothing, p stays.
void StepCost::fit() {
  const double inertia = kInertia * (bb_ + oo_) / std::min(observed_, 64);
  const double a = bb_ + inertia, d = oo_ + inertia;
  const double x = b_ + inertia * bytes_price_, y = o_ + inertia * operations_price_;
  const double determinant = a * d - bo_ * bo_;
  if (!(determinant > 0)) return;
  double bytes = (x * d - y * bo_) / determinant, operations = (a * y - bo_ * x) / determinant;
  // A price below nothing is noise: the other term explains all.
  if (bytes < kLeastPrice) bytes = kLeastPrice, operations = (y - bo_ * bytes) / d;
  if (operations < kLeastPrice) operations = kLeastPrice, bytes = (x - bo_ * operations) / a;
  bytes_price_ = std::max(bytes, kLeastPrice);
  operations_price_ = std::max(operations, kLeastPrice);
}

}  // namespace aictl::inference
