#include "trainer/objective/adaptive_entropy.h"

#include <algorithm>

namespace aha {

AdaptiveEntropy::AdaptiveEntropy(const ObjectiveConfig& objective)
    : objective_(&objective), coefficient_(objective.entropy_coef) {}

double AdaptiveEntropy::effective(double rollout_entropy) const {
  if (!objective_->use_adaptive_entropy) return coefficient_;
  return rollout_entropy <= objective_->entropy_target ? coefficient_ : 0.0;
}

void AdaptiveEntropy::update(double entropy) {
  if (!objective_->use_adaptive_entropy) return;
  const double delta = objective_->entropy_coef_delta;
  coefficient_ = std::clamp(coefficient_ + (entropy <= objective_->entropy_target ? delta : -delta),
                            objective_->entropy_coef_min, objective_->entropy_coef_max);
}

}  // namespace aha
