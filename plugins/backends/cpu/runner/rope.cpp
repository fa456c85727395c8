#include "plugins/backends/cpu/runner/rope.hpp"

#include <cmath>

namespace aictl::cpu {

RopeTable::RopeTable(const Rope& rope, int max_rows)
    : rope_(rope),
      half_(rope.inv_freq.size()),
      cos_(half_ * static_cast<size_t>(max_rows)),
      sin_(half_ * static_cast<size_t>(max_rows)) {}

void RopeTable::set(int row, int32_t position) {
  float* cosines = cos_.data() + static_cast<size_t>(row) * half_;
  float* sines = sin_.data() + static_cast<size_t>(row) * half_;
  for (size_t i = 0; i < half_; ++i) {
    const double angle = position * rope_.inv_freq[i];
    cosines[i] = static_cast<float>(std::cos(angle)) * rope_.amplitude;
    sines[i] = static_cast<float>(std::sin(angle)) * rope_.amplitude;
  }
}

void RopeTable::turn(int row, float* head) const {
  const float* cosines = cos_.data() + static_cast<size_t>(row) * half_;
  const float* sines = sin_.data() + static_cast<size_t>(row) * half_;
  const size_t step = rope_.style == RopeStyle::kPair ? 2 : 1;
  float* other = head + (rope_.style == RopeStyle::kPair ? 1 : half_);
  for (size_t i = 0; i < half_; ++i) {
    float &a = head[i * step], &b = other[i * step];
    const float turned = a * cosines[i] - b * sines[i];
    b = a * sines[i] + b * cosines[i];
    a = turned;
  }
}

}  // namespace aictl::cpu
