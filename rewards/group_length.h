#pragma once
#include <memory>

#include "rewards/options.h"
#include "rewards/reward.h"

namespace aha {

/// Kimi's length reward, within a group of completions of one prompt:
///
///   share = .5 - (length - shortest) / (longest - shortest)
///   score = share where the answer is right, min(0, share) where it is wrong
///
/// and 0 where all have one length. Lengths are in tokens. Right is what option `verifier` says. An
/// attempt outside a group, or that the verifier cannot judge, cannot be judged.
///
/// Source: Kimi k1.5 (arXiv:2501.12599) section 2.3.3; open-r1's len_reward.
std::unique_ptr<Reward> make_group_length_reward(const RewardOptions& options);

}  // namespace aha
