#include "rewards/parity.h"

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

std::unique_ptr<Reward> make_parity_reward(const RewardOptions& /*options*/) {
  return std::make_unique<ParityReward>();
}

}  // namespace aha
