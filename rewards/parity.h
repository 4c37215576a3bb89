#pragma once
#include <memory>

#include "rewards/options.h"
#include "rewards/reward.h"

namespace aha {

/// 1 if the text ends in the words `= y` and y is row["answer"], which is 0 or 1; else 0. What
/// stands before is free; a truncated attempt scores 0. `extracted` is y. An attempt that is `bare`
/// may be y alone. A row whose answer is neither 0 nor 1 (number or text) cannot be judged.
///
/// Source: the outcome reward of arXiv:2510.11495 on parity with long and short chains of thought.
std::unique_ptr<Reward> make_parity_reward(const RewardOptions& options);

}  // namespace aha
