#include "rewards/registry.h"

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
    const auto [right, problem] = asks()->of(attempt);
    if (!right) return {std::nullopt, "", problem};
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

/// Cosine length reward: right answers are worth more when short, wrong ones cost less when long.
///
///   low + (high - low) / 2 * (1 + cos(pi * length / max))
///
/// where for a right answer low = `min_value_correct` (.5) and high = `max_value_correct` (1), and
/// for a wrong one low = `max_value_wrong` (-.5) and high = `min_value_wrong` (-1). `length` is in
/// tokens and at most `max` (0: the run's rollout.max_completion_length); open-r1 counts characters.
/// Right is what option `verifier` says. An attempt whose length or limit is unknown, or that the
/// verifier cannot judge, cannot be judged. The paper's extra penalty for reaching the limit is
/// soft_overlong's work.
///
/// Source: "Demystifying long chain-of-thought reasoning" (arXiv:2502.03373) section 4.2 and
/// appendix C.1, with the defaults of open-r1's cosine_scaled_reward.
RewardInfo cosine_length_reward() {
  return {"cosine_length",
          "right answers better when short, wrong ones when long (arXiv:2502.03373)",
          {{"verifier", "math", "NAME[:key=value] of the reward that says what is right", false},
           {"answer_field", "answer", "the row's field with the gold, for the verifier"},
           {"max", "0", "tokens; 0: rollout.max_completion_length"},
           {"min_value_correct", "0.5", "a right answer at max"},
           {"max_value_correct", "1.0", "a right answer without length"},
           {"min_value_wrong", "-1.0", "a wrong answer without length"},
           {"max_value_wrong", "-0.5", "a wrong answer at max"}},
          made<CosineLengthReward>};
}

}  // namespace aha
