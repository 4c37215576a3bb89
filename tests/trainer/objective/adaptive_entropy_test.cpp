#include "trainer/objective/adaptive_entropy.h"

#include "tests/support/catch.h"

using aha::AdaptiveEntropy;
using aha::ObjectiveConfig;

TEST_CASE("adaptive entropy: a fixed coefficient applies at any entropy and never moves") {
  ObjectiveConfig objective;
  objective.entropy_coef = 0.01;
  AdaptiveEntropy entropy(objective);
  entropy.update(0.0);
  CHECK(entropy.effective(5.0) == 0.01);
  CHECK(entropy.effective(0.0) == 0.01);
}

TEST_CASE("adaptive entropy: rises at or below the target, falls above it, within its bounds") {
  ObjectiveConfig objective;
  objective.use_adaptive_entropy = true;
  objective.entropy_target = 0.2;
  objective.entropy_coef_delta = 0.005;
  objective.entropy_coef_max = 0.012;
  AdaptiveEntropy entropy(objective);
  entropy.update(0.3);
  CHECK(entropy.coefficient() == 0.0);  // entropy_coef_min
  entropy.update(0.2);
  CHECK(entropy.coefficient() == Approx(0.005));
  entropy.update(0.1);
  entropy.update(0.1);
  CHECK(entropy.coefficient() == 0.012);
  entropy.update(0.21);
  CHECK(entropy.coefficient() == Approx(0.007));
}

TEST_CASE("adaptive entropy: the bonus acts only in steps that begin at or below the target") {
  ObjectiveConfig objective;
  objective.use_adaptive_entropy = true;
  objective.entropy_coef = 0.02;
  const AdaptiveEntropy entropy(objective);
  CHECK(entropy.effective(0.2) == 0.02);
  CHECK(entropy.effective(0.2001) == 0.0);
}

TEST_CASE("adaptive entropy: goes on from a coefficient that was saved") {
  ObjectiveConfig objective;
  objective.use_adaptive_entropy = true;
  AdaptiveEntropy entropy(objective);
  entropy.set_coefficient(0.5);
  entropy.update(0.0);
  CHECK(entropy.coefficient() == Approx(0.505));
}
