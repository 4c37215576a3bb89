#include "trainer/objective/kl.h"

#include <cmath>

#include "trainer/core/error.h"
#include "trainer/objective/ratio.h"

namespace aha {

KlEstimator kl_estimator(std::string_view name) {
  if (name == "k1") return KlEstimator::K1;
  if (name == "k2") return KlEstimator::K2;
  if (name == "k3") return KlEstimator::K3;
  check(name == "k3+", "kl_estimator is k1, k2, k3 or k3+");
  return KlEstimator::K3Plus;
}

KlTerm kl_term(KlEstimator estimator, double logprob, double ref_logprob) {
  const double d = logprob - ref_logprob;
  if (estimator == KlEstimator::K1) return {d, 1.0};
  if (estimator == KlEstimator::K2) return {0.5 * d * d, d};
  const LogRatio held = clamped(d);
  const double inverse = std::exp(-held.value);
  const double k3 = inverse + held.value - 1.0;
  if (estimator == KlEstimator::K3Plus) return {k3, d};
  return {k3, held.slope * (1.0 - inverse)};
}

}  // namespace aha
