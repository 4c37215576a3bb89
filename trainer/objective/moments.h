#pragma once
#include <span>

namespace aha {

/// Mean and variance, in double and in the order of the values.
struct Moments {
  double mean = 0;
  double variance = 0;  ///< squares / max(n - ddof, 1)
  bool flat = true;     ///< no two values differ: deviations are then exactly 0, not rounding noise
};

/// Of values that count `weights` times each (empty: once); those of weight 0 do not count at all.
Moments moments(std::span<const double> values, std::span<const double> weights, double ddof);
inline Moments moments(std::span<const double> values, double ddof) {
  return moments(values, {}, ddof);
}

}  // namespace aha
