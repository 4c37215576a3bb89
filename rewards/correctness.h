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

}  // namespace aha
