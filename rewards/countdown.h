#pragma once
#include <memory>

#include "rewards/options.h"
#include "rewards/reward.h"

namespace aha {

/// Countdown: 1 if the answer is an arithmetic expression (expression.h) that uses each of
/// row["nums"] exactly once and is exactly row["target"], else 0. `extracted` is the expression.
///
/// Option `extraction`: `answer_tag` takes the last closed <answer>...</answer> (of a truncated
/// completion too: a closed answer is complete), `bare` the whole text, of which a truncated one is
/// wrong. An attempt that is `bare` is taken whole in either case.
///
/// Numbers are compared by value as a multiset. A sign before a number or parenthesis is allowed,
/// since whatever it reaches can be written without it. A row whose `nums` is no list of 1 to 64
/// whole numbers, or whose `target` is no whole number, cannot be judged.
///
/// Source: the rule of TinyZero (github.com/Jiayi-Pan/TinyZero) with exact arithmetic instead of a
/// tolerance of 1e-5.
std::unique_ptr<Reward> make_countdown_reward(const RewardOptions& options);

}  // namespace aha
