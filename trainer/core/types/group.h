#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trainer/core/types/completion.h"

namespace aha {

/// What one reward said of one completion.
struct RewardPart {
  std::optional<double> score;  ///< nothing: cannot be judged
  std::string extracted;        ///< what was taken from the text to be judged
  std::string reason;           ///< why, in a few words
  std::int64_t steps = 0;  ///< work that judging took: deterministic, in units of the reward's own
};

/// A completion's rewards. `total` is the weighted sum of the parts; nothing when any part with a
/// non-zero weight cannot be judged: such a completion is left out of mean and std, its advantage is 0.
struct Score {
  std::vector<RewardPart> parts;  ///< in the order of `reward.functions`
  std::optional<double> total;
  std::optional<double> accuracy;  ///< the part that `reward.accuracy` names
};

/// The completions of one prompt. `ordinal` is the draw that made it: it never repeats in a job's stage.
struct Group {
  std::uint64_t ordinal = 0;
  Prompt prompt;
  std::vector<Completion> completions;  ///< [G]
  std::vector<Score> scores;            ///< [G] once scored
};

}  // namespace aha
