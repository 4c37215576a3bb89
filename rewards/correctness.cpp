#include "rewards/correctness.h"

#include <fmt/format.h>

#include "rewards/registry.h"
#include "rewards/row_fields.h"
#include "rewards/text_scan.h"
#include "trainer/core/error.h"

namespace aha {

Correctness::Correctness(const RewardOptions& options) {
  const auto& spec = options.text("verifier");
  auto inner = parse_reward_spec(spec);
  if (reward_info(inner.name).has_option("answer_field"))
    inner.options.emplace("answer_field", options.text("answer_field"));
  verifier_ = make_reward(inner.name, inner.options);
  if (!verifier_->is_verifier()) {
    fail("reward '{}': option 'verifier' is '{}', which does not tell right from wrong",
         options.reward(), spec);
  }
}

Correctness::Verdict Correctness::of(const Attempt& attempt) const {
  const auto part = verifier_->score(attempt);
  if (!part.score) return {std::nullopt, "the verifier cannot judge: " + part.reason};
  return {*part.score == 1.0, ""};
}

std::optional<std::string> why_unjudgeable(const Reward& reward, const Json& row,
                                           const std::string& answer_field) {
  if (auto problem = reward.gold_problem(row)) return problem;
  if (!reward.is_verifier() || reward.waits() || reward.concurrency() > 0) return std::nullopt;
  const auto gold = text_field(row, answer_field);
  if (!gold) return std::nullopt;
  for (const std::string& answer : {*gold, std::string("0")}) {
    const auto part =
        reward.score({.completion = answer, .row = row, .ids = {}, .length = 1, .bare = true});
    if (!part.score)
      return fmt::format("'{}' cannot be judged, as where the answer is '{}': {}", answer_field,
                         clipped(answer), part.reason);
  }
  return std::nullopt;
}

}  // namespace aha
