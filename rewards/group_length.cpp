#include "rewards/registry.h"

#include <algorithm>

#include "rewards/correctness.h"

namespace aha {
namespace {

class GroupLengthReward final : public CorrectnessReward {
 public:
  explicit GroupLengthReward(const RewardOptions& options)
      : CorrectnessReward(Correctness(options)) {}

  RewardPart score(const Attempt& attempt) const override {
    if (attempt.length < 0 || attempt.group_longest < 0)
      return {std::nullopt, "", "the lengths of the group are not known"};
    const auto [right, problem] = asks()->of(attempt);
    if (!right) return {std::nullopt, "", problem};
    const auto range = attempt.group_longest - attempt.group_shortest;
    double share = 0.0;
    if (range > 0) {
      share = 0.5 - static_cast<double>(attempt.length - attempt.group_shortest) /
                        static_cast<double>(range);
    }
    return {*right ? share : std::min(0.0, share), std::to_string(attempt.length),
            *right ? "right" : "wrong", 1};
  }
};

}  // namespace

/// Kimi's length reward, within a group of completions of one prompt:
///
///   share = .5 - (length - shortest) / (longest - shortest)
///   score = share where the answer is right, min(0, share) where it is wrong
///
/// and 0 where all have one length. Lengths are in tokens. Right is what option `verifier` says. An
/// attempt outside a group, or that the verifier cannot judge, cannot be judged.
///
/// Source: Kimi k1.5 (arXiv:2501.12599) section 2.3.3; open-r1's len_reward.
RewardInfo group_length_reward() {
  return {
      "group_length",
      ".5 for the shortest of the group to -.5 for the longest, wrong ones at most 0 (Kimi k1.5)",
      {{"verifier", "math", "NAME[:key=value] of the reward that says what is right", false},
       {"answer_field", "answer", "the row's field with the gold, for the verifier"}},
      made<GroupLengthReward>};
}

}  // namespace aha
