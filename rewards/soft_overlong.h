#pragma once
#include <memory>

#include "rewards/options.h"
#include "rewards/reward.h"

namespace aha {

/// Soft overlong punishment, DAPO (arXiv:2503.14476) eq. 13:
///
///   0                               length <= max - cache
///   ((max - cache) - length)/cache  max - cache < length <= max
///   -1                              max < length
///
/// `length` is in tokens, the final stop token included. Options of `soft_overlong`: `max` (0: the
/// run's rollout.max_completion_length) and `cache` (0: a fifth of max, rounded down, as DAPO's
/// 4,096 of 20,480). An attempt whose length or limit is unknown cannot be judged. UserError when
/// both are given and cache is larger than max.
std::unique_ptr<Reward> make_soft_overlong_reward(const RewardOptions& options);

/// The same under TRL's names `max_completion_len` and `soft_punish_cache`; a cache of 0 is a step
/// at max.
std::unique_ptr<Reward> make_trl_soft_overlong_reward(const RewardOptions& options);

}  // namespace aha
