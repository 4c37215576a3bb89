#include "rewards/group_length.h"

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
    const auto right = asks()->of(attempt);
    if (!right) return {std::nullopt, "", "the verifier cannot judge"};
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

std::unique_ptr<Reward> make_group_length_reward(const RewardOptions& options) {
  return std::make_unique<GroupLengthReward>(options);
}

}  // namespace aha
