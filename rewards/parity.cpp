#include "rewards/registry.h"

#include "rewards/row_fields.h"
#include "rewards/text_scan.h"

namespace aha {
namespace {

bool is_bit(std::string_view word) {
  return word == "0" || word == "1";
}

class ParityReward final : public Reward {
 public:
  bool is_verifier() const override { return true; }

  std::optional<std::string> gold_problem(const Json& row) const override {
    const auto answer = text_field(row, "answer");
    if (!answer || !is_bit(*answer)) return "'answer' is not 0 or 1";
    return std::nullopt;
  }

  RewardPart score(const Attempt& attempt) const override {
    if (auto problem = gold_problem(attempt.row)) return {std::nullopt, "", *problem};
    if (attempt.truncated) return {0.0, "", "truncated"};
    const auto words = last_words(attempt.completion, 2);
    const bool alone = attempt.bare && words.size() == 1;
    if (words.empty() || !is_bit(words.back()) || (!alone && words.front() != "="))
      return {0.0, "", "does not end in '= 0' or '= 1'", 1};
    const bool right = words.back() == *text_field(attempt.row, "answer");
    return {right ? 1.0 : 0.0, std::string(words.back()), right ? "right" : "wrong parity", 1};
  }
};

}  // namespace

/// 1 if the text ends in the words `= y` and y is row["answer"], which is 0 or 1; else 0. What
/// stands before is free; a truncated attempt scores 0. `extracted` is y. An attempt that is `bare`
/// may be y alone. A row whose answer is neither 0 nor 1 (number or text) cannot be judged.
///
/// Source: the outcome reward of arXiv:2510.11495 on parity with long and short chains of thought.
RewardInfo parity_reward() {
  return {"parity", "ends in `= y`, y the row's `answer`", {}, made<ParityReward>};
}

}  // namespace aha
