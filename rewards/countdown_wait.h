#pragma once
#include <memory>

#include "rewards/options.h"
#include "rewards/reward.h"

namespace aha {

/// The countdown of words: 1 if the text ends in the words `=> a o b o' c`, where a, b, c are
/// row["nums"], each exactly once, and (a o b) o' c == row["target"] (from the left: no
/// precedence). Everything before is free. A truncated attempt scores 0.
/// `extracted` is `a o b o' c`. An attempt that is `bare` may leave the `=>` out.
///
/// Option `operators`: which of + - * the answer may use. A row whose `nums` is not three whole
/// numbers from 0 to 99 (one word each), or without a whole `target`, cannot be judged.
std::unique_ptr<Reward> make_countdown_wait_reward(const RewardOptions& options);

}  // namespace aha
