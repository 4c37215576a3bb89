#pragma once
#include <memory>

#include "rewards/options.h"
#include "rewards/reward.h"

namespace aha {

/// A price for every token: -min(1, length / max), so 0 for an empty completion and -1 at the
/// limit.
///
/// Option `max`: tokens; 0: the run's rollout.max_completion_length. An attempt whose length or
/// limit is unknown cannot be judged.
std::unique_ptr<Reward> make_length_reward(const RewardOptions& options);

}  // namespace aha
