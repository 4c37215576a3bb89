#pragma once
#include "trainer/core/types/group.h"

namespace aha {

/// What a reward said; where its score is above 1e6 in size, or no number, that it cannot be judged. The square of a
/// larger one, in a variance, might leave nothing of all the others.
RewardPart in_proportion(RewardPart part);

}  // namespace aha
