#include "rewards/correctness.h"

#include "rewards/registry.h"
#include "trainer/core/error.h"

namespace aha {

Correctness::Correctness(const RewardOptions& options) {
  const auto& name = options.text("verifier");
  std::map<std::string, std::string> inner;
  if (reward_info(name).has_option("answer_field"))
    inner["answer_field"] = options.text("answer_field");
  verifier_ = make_reward(name, inner);
  if (!verifier_->is_verifier()) {
    fail("reward '{}': option 'verifier' is '{}', which does not tell right from wrong",
         options.reward(), name);
  }
}

std::optional<bool> Correctness::of(const Attempt& attempt) const {
  const auto part = verifier_->score(attempt);
  if (!part.score) return std::nullopt;
  return *part.score == 1.0;
}

}  // namespace aha
