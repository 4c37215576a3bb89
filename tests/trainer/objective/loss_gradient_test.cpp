// Derivatives against central differences of the loss itself. Stop-gradients (cispo, sequence_token, k3+) have none:
// they are held by the golden file's autograd.
#include "tests/trainer/objective/support.h"

using namespace aha;
using namespace aha_test;

namespace {

/// Differences to the old log-probabilities well away from every bound of the default settings.
std::vector<OwnedSample> samples_away_from_bounds() {
  const std::vector<std::vector<float>> differences = {
      {0.02F, -0.6F, 0.09F, 0.5F}, {-0.11F}, {0.3F, 0.6F, -0.04F}, {1.8F, -0.9F}};
  const float advantages[] = {0.8F, -1.2F, 0.5F, -0.7F};
  std::vector<OwnedSample> samples(differences.size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    auto& s = samples[i];
    for (std::size_t t = 0; t < differences[i].size(); ++t) {
      const float old = -0.75F - 0.5F * static_cast<float>(t);
      s.old_logprobs.push_back(old);
      s.logprobs.push_back(old + differences[i][t]);
      s.ref_logprobs.push_back(old + 0.2F - 0.15F * static_cast<float>(t + i));
      s.entropies.push_back(0.3F + 0.2F * static_cast<float>(t));
      s.old_entropies.push_back(0.4F + 0.1F * static_cast<float>((t * 7 + i * 3) % 5));
      s.mask.push_back(i == 0 && t == 2 ? 0 : 1);
    }
    s.advantage = advantages[i];
  }
  return samples;
}

void check_derivatives(const ObjectiveConfig& objective) {
  INFO(objective.policy_loss << " " << objective.importance_sampling_level << " "
                             << objective.aggregation << " " << objective.kl_estimator << " "
                             << objective.beta << " " << objective.entropy_coef);
  auto samples = samples_away_from_bounds();
  const LossTotals totals = totals_of(objective, samples);
  const auto loss = [&] {
    return run_loss(objective, samples, totals, 0, samples.size()).stats.loss;
  };
  const LossResult analytic = run_loss(objective, samples, totals, 0, samples.size());
  std::size_t at = 0;
  for (auto& sample : samples)
    for (std::size_t t = 0; t < sample.mask.size(); ++t, ++at) {
      const auto difference = [&](float& x) {
        const float center = x;
        const float up = center + 1e-3F, down = center - 1e-3F;
        x = up;
        const double above = loss();
        x = down;
        const double below = loss();
        x = center;
        return (above - below) / (static_cast<double>(up) - static_cast<double>(down));
      };
      CHECK(analytic.d_logprob[at] ==
            Approx(difference(sample.logprobs[t])).epsilon(2e-5).margin(1e-6));
      if (!analytic.d_entropy.empty())
        CHECK(analytic.d_entropy[at] ==
              Approx(difference(sample.entropies[t])).epsilon(2e-5).margin(1e-6));
    }
}

const std::vector<std::string> kAggregations = {"token-mean", "seq-mean-token-sum",
                                                "seq-mean-token-mean", "seq-mean-token-sum-norm"};

}  // namespace

TEST_CASE("policy loss: derivatives equal central differences for every loss, level and mean") {
  for (const char* kind : {"clip", "gmpo", "sapo", "gpg"})
    for (const char* level : {"token", "sequence", "sequence_sum"})
      for (const auto& aggregation : kAggregations) {
        ObjectiveConfig objective;
        objective.policy_loss = kind;
        objective.importance_sampling_level = level;
        objective.aggregation = aggregation;
        check_derivatives(objective);
        objective.entropy_coef = 0.02;
        objective.top_entropy_quantile = 0.5;
        check_derivatives(objective);
      }
}

TEST_CASE("policy loss: derivatives of the KL term equal central differences") {
  for (const char* estimator : {"k1", "k2", "k3"})
    for (const auto& aggregation : kAggregations)
      for (const bool corrected : {false, true})
        for (const double entropy_coef : {0.0, 0.01}) {
          ObjectiveConfig objective;
          objective.kl_estimator = estimator;
          objective.aggregation = aggregation;
          objective.beta = 0.1;
          objective.use_bias_correction_kl = corrected;
          objective.entropy_coef = entropy_coef;
          check_derivatives(objective);
        }
}

TEST_CASE("policy loss: derivatives equal central differences with two-sided and dual clipping") {
  for (const char* level : {"token", "sequence"}) {
    ObjectiveConfig objective;
    objective.importance_sampling_level = level;
    objective.epsilon_high = 0.28;
    check_derivatives(objective);
    objective.delta = 4.0;
    check_derivatives(objective);
    objective.dual_clip = 3.0;
    check_derivatives(objective);
  }
}
