// Arithmetic that a policy writes: the expression itself, and the rewards that read one or a number.
#include <vector>

#include "rewards/expression.h"
#include "rewards/registry.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

std::vector<std::unique_ptr<aha::Reward>> arithmetic_rewards() {
  std::vector<std::unique_ptr<aha::Reward>> rewards;
  rewards.push_back(aha::make_reward("countdown"));
  rewards.push_back(aha::make_reward("countdown", {{"extraction", "bare"}}));
  rewards.push_back(aha::make_reward("countdown_wait"));
  rewards.push_back(aha::make_reward("numeric"));
  rewards.push_back(aha::make_reward("parity"));
  return rewards;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto rewards = arithmetic_rewards();
  static const aha::Json row = {{"nums", {9, 4, 3}}, {"target", 8}, {"answer", "1"}};
  const auto text = aha_fuzz::text_of(data, size);
  const auto evaluated = aha::evaluate_expression(text);
  aha_fuzz::require(evaluated.value.has_value() == evaluated.problem.empty());
  for (const auto& reward : rewards) {
    const auto part = reward->score({.completion = text, .row = row, .ids = {}});
    aha_fuzz::require(part.score && (*part.score == 0.0 || *part.score == 1.0));
  }
  return 0;
}
