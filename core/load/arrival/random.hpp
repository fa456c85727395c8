// Random numbers that are the same on every machine and compiler: the standard library's
// distributions are not. xoshiro256** seeded by splitmix64.
#pragma once

#include <cstdint>

namespace aictl::load {

class Random {
 public:
  /// Streams of one seed are independent: request 7 draws the same whatever request 6 drew.
  explicit Random(uint64_t seed, uint64_t stream = 0);

  uint64_t next();
  double uniform();                // [0, 1)
  uint64_t below(uint64_t bound);  // [0, bound), bound > 0
  double exponential();            // mean 1
  double normal();                 // mean 0, deviation 1
  double gamma(double shape);      // mean `shape`, scale 1; shape > 0

 private:
  uint64_t state_[4];
};

}  // namespace aictl::load
