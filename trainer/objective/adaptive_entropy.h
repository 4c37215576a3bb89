#pragma once
#include "trainer/config/schema.h"

namespace aha {

/// The entropy bonus's coefficient: fixed, or moved towards a target entropy (Skywork-OR1, arXiv:2505.22312,
/// section 3.2): after each step up by delta while the entropy is at most the target, else down by it, within
/// [min, max]; the bonus itself applies only in steps that begin at or below the target.
class AdaptiveEntropy {
 public:
  explicit AdaptiveEntropy(const ObjectiveConfig& objective);

  /// To use in a step whose rollout had this mean entropy (nats).
  double effective(double rollout_entropy) const;
  /// After a step: moves the coefficient.
  void update(double entropy);

  double coefficient() const { return coefficient_; }
  void set_coefficient(double value) { coefficient_ = value; }

 private:
  const ObjectiveConfig* objective_;
  double coefficient_;
};

}  // namespace aha
