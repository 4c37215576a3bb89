#include "rewards/cosine_length.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "rewards/correctness.h"

namespace aha {
namespace {

class CosineLengthReward final : public CorrectnessReward {
 public:
  explicit CosineLengthReward(const RewardOptions& options)
      : CorrectnessReward(Correctness(options)),
        max_(options.whole("max", 0)),
        min_correct_(options.number("min_value_correct")),
        max_correct_(options.number("max_value_correct")),
        min_wrong_(options.number("min_value_wrong")),
        max_wrong_(options.number("max_value_wrong")) {}

  RewardPart score(const Attempt& attempt) const override {
    const auto max = max_ > 0 ? max_ : attempt.max_completion_length;
    if (attempt.length < 0 || max <= 0)
      return {std::nullopt, "", "the length or its limit is not known"};
    const auto right = asks()->of(attempt);
    if (!right) return {std::nullopt, "", "the verifier cannot judge"};
    const double low = *right ? min_correct_ : max_wrong_;
    const double high = *right ? max_correct_ : min_wrong_;
    const double share =
        static_cast<double>(std::min(attempt.length, max)) / static_cast<double>(max);
    const double value = low + (high - low) / 2 * (1 + std::cos(std::numbers::pi * share));
    return {value, std::to_string(attempt.length), *right ? "right" : "wrong", 1};
  }

 private:
  std::int64_t max_;
  double min_correct_;
  double max_correct_;
  double min_wrong_;
  double max_wrong_;
};

}  // namespace

std::unique_ptr<Reward> make_cosine_length_reward(const RewardOptions& options) {
  return std::make_unique<CosineLengthReward>(options);
}

}  // namespace aha
