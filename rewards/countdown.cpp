#include "rewards/registry.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "rewards/expression.h"
#include "rewards/row_fields.h"
#include "rewards/text_scan.h"

namespace aha {
namespace {

constexpr std::size_t kMostNumbers = 64;

class CountdownReward final : public Reward {
 public:
  explicit CountdownReward(bool bare) : bare_(bare) {}

  bool is_verifier() const override { return true; }

  std::optional<std::string> gold_problem(const Json& row) const override {
    const auto nums = whole_list_field(row, "nums");
    if (!nums || nums->empty() || nums->size() > kMostNumbers)
      return fmt::format("'nums' is not a list of 1 to {} whole numbers", kMostNumbers);
    if (!whole_field(row, "target")) return "'target' is not a whole number";
    return std::nullopt;
  }

  RewardPart score(const Attempt& attempt) const override {
    if (auto problem = gold_problem(attempt.row)) return {std::nullopt, "", *problem};
    const bool whole = bare_ || attempt.bare;
    if (whole && attempt.truncated) return {0.0, "", "truncated"};
    const auto answer = whole ? std::optional(attempt.completion)
                              : last_tagged(after_thought(attempt.completion), "answer");
    if (!answer) return {0.0, "", "no <answer>...</answer>"};
    return judged(trimmed(*answer), attempt.row);
  }

 private:
  static RewardPart judged(std::string_view answer, const Json& row) {
    auto evaluated = evaluate_expression(answer);
    RewardPart part{0.0, clipped(answer), "", evaluated.steps};
    if (!evaluated.value) {
      part.reason = evaluated.problem;
      return part;
    }
    auto nums = *whole_list_field(row, "nums");
    auto used = evaluated.numbers;
    std::sort(nums.begin(), nums.end());
    std::sort(used.begin(), used.end());
    const auto target = *whole_field(row, "target");
    if (used != nums) {
      part.reason = used.size() > kMostNumbers
                        ? fmt::format("uses {} numbers of {}", used.size(), nums.size())
                        : fmt::format("uses {}, given {}", used, nums);
    } else if (*evaluated.value != Rational(target)) {
      part.reason = fmt::format("value {}, wanted {}", evaluated.value->text(), target);
    } else {
      part.score = 1.0;
      part.reason = "right";
    }
    return part;
  }

  bool bare_;
};

std::unique_ptr<Reward> make_countdown_reward(const RewardOptions& options) {
  const std::array<std::string, 2> allowed = {"answer_tag", "bare"};
  return std::make_unique<CountdownReward>(options.choice("extraction", allowed) == "bare");
}

}  // namespace

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
RewardInfo countdown_reward() {
  return {
      "countdown",
      "an expression that uses each of `nums` once and equals `target`",
      {{"extraction", "answer_tag", "answer_tag: the last <answer>...</answer>; bare: the text"}},
      make_countdown_reward,
      "answer"};
}

}  // namespace aha
