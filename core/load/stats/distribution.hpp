// The few distributions that intervals and tests need.
#pragma once

namespace aictl::load {

double normal_cdf(double z);
/// Errors: `p` outside (0, 1) gives an infinity.
double normal_quantile(double p);
/// Of Student's t with `freedom` degrees.
double student_cdf(double t, double freedom);
double student_quantile(double p, double freedom);

}  // namespace aictl::load
