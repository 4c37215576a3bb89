#pragma once
#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "trainer/config/schema.h"
#include "trainer/core/json.h"
#include "trainer/objective/policy_loss.h"

namespace aha_test {

/// tests/golden/objective/objective.json: inputs, and results of NumPy and PyTorch in float64.
inline const aha::Json& golden() {
  static const aha::Json json = [] {
    std::ifstream file(AHA_SOURCE_DIR "/tests/golden/objective/objective.json");
    return aha::Json::parse(file);
  }();
  return json;
}

/// The keys of `json` that an objective has.
inline aha::ObjectiveConfig objective_of(const aha::Json& json) {
  aha::ObjectiveConfig o;
  const auto read = [&](const char* key, auto& member) {
    if (json.contains(key)) json.at(key).get_to(member);
  };
  const auto read_optional = [&](const char* key, std::optional<double>& member) {
    if (json.contains(key)) member = json.at(key).get<double>();
  };
  read("advantage_estimator", o.advantage_estimator);
  read("scale_rewards", o.scale_rewards);
  read("std_ddof", o.std_ddof);
  read("std_epsilon", o.std_epsilon);
  read("policy_loss", o.policy_loss);
  read("importance_sampling_level", o.importance_sampling_level);
  read("aggregation", o.aggregation);
  read("epsilon", o.epsilon);
  read_optional("epsilon_high", o.epsilon_high);
  read_optional("delta", o.delta);
  read_optional("dual_clip", o.dual_clip);
  read("is_cap_low", o.is_cap_low);
  read("is_cap_high", o.is_cap_high);
  read("gmpo_clip", o.gmpo_clip);
  read("sapo_temperature_pos", o.sapo_temperature_pos);
  read("sapo_temperature_neg", o.sapo_temperature_neg);
  read("beta", o.beta);
  read("kl_estimator", o.kl_estimator);
  read("kl_in", o.kl_in);
  read("use_bias_correction_kl", o.use_bias_correction_kl);
  read("entropy_coef", o.entropy_coef);
  read("top_entropy_quantile", o.top_entropy_quantile);
  return o;
}

/// One completion with its own storage.
struct OwnedSample {
  std::vector<float> logprobs, entropies, old_logprobs, old_entropies, ref_logprobs;
  std::vector<std::uint8_t> mask;
  std::vector<float> token_advantages;
  float advantage = 0;
  bool excluded = false;

  aha::LossSample view() const {
    return {old_logprobs, old_entropies, ref_logprobs, mask, token_advantages, advantage, excluded};
  }
};

/// A loss and its derivatives, one sample after the other.
struct LossResult {
  aha::LossStats stats;
  std::vector<float> d_logprob, d_entropy;
};

inline aha::LossTotals totals_of(const aha::ObjectiveConfig& objective,
                                 const std::vector<OwnedSample>& samples, std::int64_t l_max = 10) {
  std::vector<aha::LossSample> views;
  views.reserve(samples.size());
  for (const auto& sample : samples)
    views.push_back(sample.view());
  return aha::loss_totals(objective, views, l_max, objective.entropy_coef);
}

/// The loss of samples [first, last) with the totals of all.
inline LossResult run_loss(const aha::ObjectiveConfig& objective,
                           const std::vector<OwnedSample>& samples, const aha::LossTotals& totals,
                           std::size_t first, std::size_t last) {
  std::vector<aha::LossSample> views;
  std::vector<float> logprobs, entropies;
  for (std::size_t i = first; i < last; ++i) {
    views.push_back(samples[i].view());
    logprobs.insert(logprobs.end(), samples[i].logprobs.begin(), samples[i].logprobs.end());
    entropies.insert(entropies.end(), samples[i].entropies.begin(), samples[i].entropies.end());
  }
  LossResult result;
  result.d_logprob.resize(logprobs.size());
  if (totals.entropy_coef != 0) result.d_entropy.resize(logprobs.size());
  result.stats = aha::policy_loss(objective, views, totals, {logprobs, entropies},
                                  {result.d_logprob, result.d_entropy});
  return result;
}

inline LossResult run_loss(const aha::ObjectiveConfig& objective,
                           const std::vector<OwnedSample>& samples) {
  return run_loss(objective, samples, totals_of(objective, samples), 0, samples.size());
}

/// The golden file's samples; with or without advantages of tokens.
inline std::vector<OwnedSample> golden_samples(bool token_advantages, bool reference) {
  const aha::Json& all = golden().at("samples");
  std::vector<OwnedSample> samples(all.at("advantage").size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    auto& s = samples[i];
    all.at("lp")[i].get_to(s.logprobs);
    all.at("entropy")[i].get_to(s.entropies);
    all.at("old")[i].get_to(s.old_logprobs);
    all.at("old_entropy")[i].get_to(s.old_entropies);
    if (reference) all.at("ref")[i].get_to(s.ref_logprobs);
    all.at("mask")[i].get_to(s.mask);
    if (token_advantages) all.at("token_advantage")[i].get_to(s.token_advantages);
    all.at("advantage")[i].get_to(s.advantage);
    all.at("excluded")[i].get_to(s.excluded);
  }
  return samples;
}

}  // namespace aha_test
