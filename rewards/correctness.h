#pragma once
#include <memory>
#include <optional>
#include <string>

#include "rewards/options.h"
#include "rewards/reward.h"

namespace aha {

/// What a reward that depends on right and wrong asks: option `verifier` names a verifier, with options where it
/// needs some, such as countdown or "math:extraction=boxed"; `answer_field` goes on to it.
class Correctness {
 public:
  /// UserError where the option names no verifier.
  explicit Correctness(const RewardOptions& options);

  struct Verdict {
    std::optional<bool> right;  ///< nothing where the verifier cannot judge
    std::string problem;        ///< why not
  };
  Verdict of(const Attempt& attempt) const;
  std::optional<std::string> gold_problem(const Json& row) const {
    return verifier_->gold_problem(row);
  }
  const Reward& verifier() const { return *verifier_; }

 private:
  std::unique_ptr<Reward> verifier_;
};

/// A reward whose score depends on a verifier's: it waits for what the verifier waits for.
class CorrectnessReward : public Reward {
 public:
  bool waits() const final { return asks() && asks()->verifier().waits(); }
  void reach() const final {
    if (asks()) asks()->verifier().reach();
  }
  std::int64_t concurrency() const final { return asks() ? asks()->verifier().concurrency() : 0; }
  std::optional<std::string> gold_problem(const Json& row) const final {
    return asks() ? asks()->gold_problem(row) : std::nullopt;
  }

 protected:
  explicit CorrectnessReward(std::optional<Correctness> correctness)
      : correctness_(std::move(correctness)) {}
  /// Null where it depends on none.
  const Correctness* asks() const { return correctness_ ? &*correctness_ : nullptr; }

 private:
  std::optional<Correctness> correctness_;
};

/// Why no answer to a row can be judged: Reward::gold_problem; or that the gold, in `answer_field`, cannot be compared
/// with itself or with 0. The second is asked of verifiers that judge here.
std::optional<std::string> why_unjudgeable(const Reward& reward, const Json& row,
                                           const std::string& answer_field);

}  // namespace aha
