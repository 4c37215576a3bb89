#pragma once
#include <memory>
#include <optional>
#include <string>

#include "rewards/options.h"
#include "rewards/reward.h"

namespace aha {

/// What a reward that depends on right and wrong asks: option `verifier` names a verifier, such as
/// math or countdown, and `answer_field` goes on to it.
class Correctness {
 public:
  /// UserError where the option names no verifier.
  explicit Correctness(const RewardOptions& options);

  /// Nothing where the verifier cannot judge.
  std::optional<bool> of(const Attempt& attempt) const;
  std::optional<std::string> gold_problem(const Json& row) const {
    return verifier_->gold_problem(row);
  }

 private:
  std::unique_ptr<Reward> verifier_;
};

/// Why no answer to a row can be judged: Reward::gold_problem; or that the gold, in `answer_field`, cannot be compared
/// with itself or with 0. The second is asked of verifiers that judge here.
std::optional<std::string> why_unjudgeable(const Reward& reward, const Json& row,
                                           const std::string& answer_field);

}  // namespace aha
