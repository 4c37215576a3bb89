#include "rewards/registry.h"

#include <algorithm>

namespace aha {
namespace {

class LengthReward final : public Reward {
 public:
  explicit LengthReward(std::int64_t max) : max_(max) {}

  RewardPart score(const Attempt& attempt) const override {
    const auto max = max_ > 0 ? max_ : attempt.max_completion_length;
    if (attempt.length < 0) return {std::nullopt, "", "the length in tokens is not known"};
    if (max <= 0) return {std::nullopt, "", "no limit: set option 'max'"};
    const auto share = static_cast<double>(attempt.length) / static_cast<double>(max);
    return {attempt.length == 0 ? 0.0 : -std::min(1.0, share), std::to_string(attempt.length),
            "length of " + std::to_string(max), 1};
  }

 private:
  std::int64_t max_;
};

std::unique_ptr<Reward> make_length_reward(const RewardOptions& options) {
  return std::make_unique<LengthReward>(options.whole("max", 0));
}

}  // namespace

/// A price for every token: -min(1, length / max), so 0 for an empty completion and -1 at the
/// limit.
///
/// Option `max`: tokens; 0: the run's rollout.max_completion_length. An attempt whose length or
/// limit is unknown cannot be judged.
RewardInfo length_reward() {
  return {"length",
          "-min(1, length / max)",
          {{"max", "0", "tokens; 0: rollout.max_completion_length"}},
          make_length_reward};
}

}  // namespace aha
