#pragma once
#include <string_view>

namespace aha {

/// Per-token estimators of KL(policy || reference), with d = lp - lp_ref (Schulman, "Approximating KL
/// divergence", 2020):
///
///   k1   d                    gradient 1: unbiased value, may be negative
///   k2   d^2 / 2              gradient d: on policy the gradient of KL(policy || reference)
///   k3   exp(-d) + d - 1      gradient 1 - exp(-d): on policy the gradient of KL(reference || policy)
///   k3+  value of k3          gradient of k2 (straight-through)
///
/// d is held within [-20, 20] in k3's exponential; beyond, its derivative is 0.
enum class KlEstimator { K1, K2, K3, K3Plus };

/// By objective.kl_estimator. InternalError for another name (the configuration is checked when read).
KlEstimator kl_estimator(std::string_view name);

/// An estimate and its derivative with respect to lp.
struct KlTerm {
  double value = 0;
  double d_logprob = 0;
};
KlTerm kl_term(KlEstimator estimator, double logprob, double ref_logprob);

}  // namespace aha
