#pragma once
#include <memory>

#include "rewards/options.h"
#include "rewards/reward.h"

namespace aha {

/// Cosine length reward: right answers are worth more when short, wrong ones cost less when long.
///
///   low + (high - low) / 2 * (1 + cos(pi * length / max))
///
/// where for a right answer low = `min_value_correct` (.5) and high = `max_value_correct` (1), and
/// for a wrong one low = `max_value_wrong` (-.5) and high = `min_value_wrong` (-1). `length` is in
/// tokens and at most `max` (0: the run's rollout.max_completion_length); open-r1 counts characters.
/// Right is what option `verifier` says. An attempt whose length or limit is unknown, or that the
/// verifier cannot judge, cannot be judged. The paper's extra penalty for reaching the limit is
/// soft_overlong's work.
///
/// Source: "Demystifying long chain-of-thought reasoning" (arXiv:2502.03373) section 4.2 and
/// appendix C.1, with the defaults of open-r1's cosine_scaled_reward.
std::unique_ptr<Reward> make_cosine_length_reward(const RewardOptions& options);

}  // namespace aha
