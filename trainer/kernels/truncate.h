#pragma once
#include <cstdint>

namespace aha {

/// Which of a row's ids may be drawn. Applied in transformers' order: top_k, top_p, min_p.
struct Truncation {
  std::int64_t top_k;  ///< 0: off
  float top_p;         ///< 1: off
  float min_p;         ///< 0: off
};

/// Draws an id with probability proportional to weights[id] among the ids that the truncation leaves.
/// Equal weights: the smaller id goes first. top_p keeps the shortest list of the heaviest ids whose
/// share reaches top_p; min_p keeps what weighs at least min_p times the heaviest. The heaviest id is
/// always kept. Sums are in double, the final one in ascending ids.
std::int64_t truncated_draw(const float* weights, std::int64_t n, double uniform,
                            const Truncation& truncation);

}  // namespace aha
