#pragma once
#include <memory>
#include <string>

#include "rewards/math/equivalence.h"
#include "rewards/options.h"
#include "rewards/reward.h"

namespace aha {

/// Answers that are mathematics: 1 if the prediction means the same as the gold, else 0.
///
/// Gold: row[answer_field], taken apart as the prediction is, so that a bare answer, a solution
/// that ends in a box and one that ends in "#### 18" all serve. It must be mathematics or words, or
/// the row cannot be judged, and have a value here (math/judgeable.h). A comparison that meets its
/// limits (math/evaluate.h: 20,000 steps, 512 bits) cannot be judged where the gold meets them by itself,
/// else it is wrong; so is a prediction that is no mathematics, is longer than 10,000 bytes or nests
/// deeper than 64. Nothing depends on time or on the machine.
///
/// Options:
///   extraction     where the answer stands, by one of the names of math/extraction.h. A truncated
///                  attempt scores 0 unless it is in a closed box or tag
///   answer_field   where the gold is
///   precision      decimals at which a number with a decimal point is compared (6)
///   percent        fraction: 28% is 0.28; number: 28% is 28
///   list_order     free: "1, 2" is "2, 1"; kept: it is not
///
/// `extracted` is the prediction, the reason says where it stood; what means the same is in
/// math/equivalence.h. Conventions follow Math-Verify 0.8 (github.com/huggingface/Math-Verify)
/// where it is consistent.
std::unique_ptr<Reward> make_math_reward(const RewardOptions& options);

}  // namespace aha
