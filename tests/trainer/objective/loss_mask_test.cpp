#include <cmath>
#include <limits>

#include "tests/trainer/objective/support.h"
#include "trainer/core/error.h"

using namespace aha;
using namespace aha_test;

namespace {

OwnedSample sample(std::size_t length, float advantage) {
  OwnedSample s;
  s.logprobs.assign(length, -1.0F);
  s.old_logprobs.assign(length, -1.0F);
  s.entropies.assign(length, 0.5F);
  s.old_entropies.assign(length, 0.5F);
  s.mask.assign(length, 1);
  s.advantage = advantage;
  return s;
}

bool all_zero(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return v == 0; });
}

}  // namespace

TEST_CASE("policy loss: on policy the gradient of a token is -advantage by the denominator") {
  // A = 2 and -1 on 4 and 1 tokens: Dr.GRPO's L_max is 10, two sequences.
  const std::vector<OwnedSample> samples = {sample(4, 2.0F), sample(1, -1.0F)};
  const std::vector<std::pair<const char*, std::pair<double, double>>> expected = {
      {"token-mean", {-2.0 / 5, 1.0 / 5}},
      {"seq-mean-token-sum", {-2.0 / 2, 1.0 / 2}},
      {"seq-mean-token-mean", {-2.0 / 8, 1.0 / 2}},
      {"seq-mean-token-sum-norm", {-2.0 / 20, 1.0 / 20}}};
  for (const auto& [aggregation, gradient] : expected) {
    ObjectiveConfig objective;
    objective.aggregation = aggregation;
    const auto result = run_loss(objective, samples);
    CHECK(result.d_logprob[0] == Approx(gradient.first));
    CHECK(result.d_logprob[4] == Approx(gradient.second));
  }
}

TEST_CASE("policy loss: given tokens are in no sum, count or derivative") {
  auto with_tool = sample(4, 1.0F);
  with_tool.mask[1] = 0;
  with_tool.logprobs[1] = std::numeric_limits<float>::quiet_NaN();
  with_tool.entropies[1] = std::numeric_limits<float>::quiet_NaN();
  ObjectiveConfig objective;
  objective.aggregation = "seq-mean-token-mean";
  objective.entropy_coef = 0.1;
  const auto result = run_loss(objective, {with_tool});
  const auto without = run_loss(objective, {sample(3, 1.0F)});
  CHECK(result.stats.loss == without.stats.loss);
  CHECK(result.stats.tokens == 3);
  CHECK(result.stats.entropy_sum == 1.5);
  CHECK(result.d_logprob[1] == 0.0F);
  CHECK(result.d_entropy[1] == 0.0F);
  CHECK(result.d_logprob[0] == without.d_logprob[0]);
}

TEST_CASE("policy loss: an overlong completion is out of loss and denominators") {
  auto overlong = sample(7, 3.0F);
  overlong.excluded = true;
  for (const char* aggregation : {"token-mean", "seq-mean-token-mean", "seq-mean-token-sum"}) {
    ObjectiveConfig objective;
    objective.aggregation = aggregation;
    objective.entropy_coef = 0.1;
    const auto result = run_loss(objective, {sample(3, 1.0F), overlong});
    const auto alone = run_loss(objective, {sample(3, 1.0F)});
    CHECK(result.stats.loss == alone.stats.loss);
    CHECK(result.d_logprob[0] == alone.d_logprob[0]);
    CHECK(all_zero({result.d_logprob.begin() + 3, result.d_logprob.end()}));
  }
}

TEST_CASE("policy loss: with nothing that counts, loss and gradient are 0") {
  auto masked = sample(3, 1.0F);
  masked.mask.assign(3, 0);
  auto overlong = sample(2, 1.0F);
  overlong.excluded = true;
  for (const char* aggregation :
       {"token-mean", "seq-mean-token-mean", "seq-mean-token-sum", "seq-mean-token-sum-norm"}) {
    ObjectiveConfig objective;
    objective.aggregation = aggregation;
    objective.entropy_coef = 0.1;
    objective.top_entropy_quantile = 0.2;
    const auto result = run_loss(objective, {masked, overlong, sample(0, 1.0F)});
    CHECK(result.stats.loss == 0.0);
    CHECK(result.stats.sequences == 0);
    CHECK(all_zero(result.d_logprob));
    CHECK(all_zero(result.d_entropy));
  }
}

TEST_CASE(
    "policy loss: a zero advantage has no policy gradient but counts, and keeps KL and bonus") {
  ObjectiveConfig objective;
  const std::vector<OwnedSample> samples = {sample(2, 0.0F), sample(2, 1.0F)};
  const auto result = run_loss(objective, samples);
  CHECK(result.d_logprob[0] == 0.0F);
  CHECK(result.d_logprob[2] == Approx(-0.25));  // 4 tokens count
  objective.beta = 0.1;
  objective.entropy_coef = 0.4;
  auto with_reference = samples;
  for (auto& s : with_reference)
    s.ref_logprobs.assign(2, -1.5F);
  const auto both = run_loss(objective, with_reference);
  CHECK(both.d_logprob[0] == Approx(0.1 * (1 - std::exp(-0.5)) / 4));
  CHECK(both.d_entropy[0] == Approx(-0.4 / 4));
}

TEST_CASE("policy loss: KL taken from the reward is measured but not in the loss") {
  for (const auto& [kl_in, estimator] :
       {std::pair{"reward", "group_norm"}, {"loss", "reinforce_pp"}}) {
    ObjectiveConfig objective;
    objective.beta = 0.1;
    objective.kl_in = kl_in;
    objective.kl_estimator = "k1";
    objective.advantage_estimator = estimator;
    auto s = sample(2, 1.0F);
    s.ref_logprobs.assign(2, -1.5F);
    const auto result = run_loss(objective, {s});
    CHECK(result.stats.kl_sum == 1.0);
    CHECK(result.stats.loss == Approx(-1.0));
    CHECK(result.d_logprob[0] == -0.5F);
  }
}

TEST_CASE("policy loss: log-ratios are held within 20 and teach nothing beyond") {
  auto s = sample(1, -1.0F);
  s.old_logprobs[0] = -40.0F;
  const auto result = run_loss({}, {s});
  CHECK(result.stats.loss == Approx(std::exp(20.0)));
  CHECK(result.d_logprob[0] == 0.0F);
}

TEST_CASE("policy loss: a value that is not finite reaches the loss whatever the recipe") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  using Field = std::vector<float> OwnedSample::*;
  for (const char* kind : {"clip", "cispo", "gmpo", "sapo", "gpg"})
    for (const char* level : {"token", "sequence", "sequence_token"})
      for (const Field field : {&OwnedSample::logprobs, &OwnedSample::old_logprobs,
                                &OwnedSample::ref_logprobs, &OwnedSample::entropies})
        for (const float bad : {nan, inf, -inf}) {
          ObjectiveConfig objective;
          objective.policy_loss = kind;
          objective.importance_sampling_level = level;
          objective.beta = 0.1;
          objective.entropy_coef = 0.1;
          objective.delta = 4.0;
          objective.dual_clip = 3.0;
          auto s = sample(3, -1.0F);
          s.ref_logprobs.assign(3, -1.0F);
          (s.*field)[1] = bad;
          CHECK_FALSE(std::isfinite(run_loss(objective, {sample(2, 1.0F), s}).stats.loss));
        }
  CHECK_FALSE(std::isfinite(run_loss({}, {sample(2, nan)}).stats.loss));
}

TEST_CASE("policy loss: clip shares are of a completion's tokens, lowest and highest") {
  auto a = sample(4, 1.0F);
  a.old_logprobs = {-1.0F, -2.0F, -2.0F,
                    0.0F};  // two ratios above 1.2; one below .8, which A > 0 does not clip
  auto b = sample(2, -1.0F);
  b.old_logprobs = {0.0F, -2.0F};
  const auto stats = run_loss({}, {a, b}).stats;
  CHECK(stats.clipped_high == 2);
  CHECK(stats.clipped_low == 1);
  CHECK(stats.clip_high_max == 0.5);
  CHECK(stats.clip_low_min == 0.0);
}

TEST_CASE("policy loss: an unknown name is our bug, not a silent default") {
  for (std::string ObjectiveConfig::*key :
       {&ObjectiveConfig::policy_loss, &ObjectiveConfig::importance_sampling_level,
        &ObjectiveConfig::kl_estimator, &ObjectiveConfig::aggregation}) {
    ObjectiveConfig objective;
    objective.*key = "nonsense";
    CHECK_THROWS_AS(run_loss(objective, {sample(1, 1.0F)}), InternalError);
  }
}
