#include "rewards/proportion.h"

#include <fmt/format.h>

#include <cmath>

namespace aha {

RewardPart in_proportion(RewardPart part) {
  constexpr double kMost = 1e6;
  if (!part.score || std::abs(*part.score) <= kMost) return part;
  part.reason = fmt::format("the score is {}, expected at most {} in size", *part.score, kMost);
  part.score = std::nullopt;
  return part;
}

}  // namespace aha
