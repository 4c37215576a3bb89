#pragma once
#include <memory>

#include "rewards/options.h"
#include "rewards/reward.h"

namespace aha {

/// Answers that are one number, as in GSM8K, SVAMP, AIME: 1 if the prediction equals the gold as an
/// exact decimal ("145.0" is "145", "1,000" is "1000"), else 0.
///
/// Gold: row[answer_field]; of a text with "####" what follows the last one. It must be one number
/// and nothing else, or the row cannot be judged.
///
/// Prediction, option `extraction`:
///   last        the first number after the last "####", else the last number of the text; what stands
///               beside it does not count ("#### 18 or 19" is 18)
///   answer_tag  the last number of the last closed <answer>...</answer>
/// A truncated attempt scores 0 unless what was taken had visibly ended: more than digits, points
/// and commas follow the number after "####", or the answer tag is closed. `extracted` is the
/// number as written.
///
/// Option `answer_field`: where the gold is. Spelling of numbers: decimal.h; spaces may
/// stand behind the sign ("- 5") where it neither follows a number nor begins a line.
///
/// Source of "####": Cobbe et al., "Training verifiers to solve math word problems"
/// (arXiv:2110.14168).
std::unique_ptr<Reward> make_numeric_reward(const RewardOptions& options);

}  // namespace aha
