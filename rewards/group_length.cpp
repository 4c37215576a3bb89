#include "rewards/group_length.h"

#include <algorithm>

#include "rewards/correctness.h"

namespace aha {
namespace {

class GroupLengthReward final : public Reward {
 public:
  explicit GroupLengthReward(const RewardOptions& options) : correctness_(options) {}

  std::optional<std::string> gold_problem(const Json& row) const override {
    return correctness_.gold_problem(row);
  }

  RewardPart score(const Attempt& attempt) const override {
    if (attempt.length < 0 || attempt.group_longest < 0)
      return {std::nullopt, "", "the lengths of the group are not known"};
    const auto right = correctness_.of(attempt);
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

 private:
  Correctness correctness_;
};

}  // namespace

std::unique_ptr<Reward> make_group_length_reward(const RewardOptions& options) {
  return std::make_unique<GroupLengthReward>(options);
}

}  // namespace aha
