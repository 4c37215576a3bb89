#include "trainer/objective/policy_loss.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "trainer/core/error.h"
#include "trainer/objective/kl.h"
#include "trainer/objective/ratio.h"
#include "trainer/objective/surrogate.h"

namespace aha {
namespace {

/// What an update's loss is made of, with names resolved once.
struct Recipe {
  explicit Recipe(const ObjectiveConfig& o)
      : objective(o),
        kind(policy_loss_kind(o.policy_loss)),
        level(kind == PolicyLossKind::Gmpo ? RatioLevel::Token
                                           : ratio_level(o.importance_sampling_level)),
        estimator(kl_estimator(o.kl_estimator)),
        kl_coef(o.kl_in == "reward" || o.advantage_estimator == "reinforce_pp" ? 0.0 : o.beta) {}

  const ObjectiveConfig& objective;
  PolicyLossKind kind;
  RatioLevel level;
  KlEstimator estimator;
  double kl_coef;
};

/// The counted tokens of one sample, side by side. [n]
struct Tokens {
  std::vector<std::size_t> places;  // in the sample
  std::vector<double> logprobs, differences, advantages;
  std::vector<double> d_logprob;  // result
  std::size_t size() const { return places.size(); }
};

Tokens counted_tokens(const LossSample& sample, std::span<const float> logprobs) {
  Tokens tokens;
  for (std::size_t t = 0; t < sample.mask.size(); ++t) {
    if (sample.mask[t] == 0) continue;
    const double lp = logprobs[t];
    tokens.places.push_back(t);
    tokens.logprobs.push_back(lp);
    tokens.differences.push_back(lp - sample.old_logprobs[t]);
    tokens.advantages.push_back(sample.token_advantages.empty() ? sample.advantage
                                                                : sample.token_advantages[t]);
  }
  tokens.d_logprob.resize(tokens.size());
  return tokens;
}

/// The share of each counted token of a completion with `n` of them: sum over tokens of share * loss.
double token_share(const ObjectiveConfig& objective, const LossTotals& totals, std::size_t n) {
  const auto at_least_one = [](std::int64_t x) {
    return static_cast<double>(std::max<std::int64_t>(x, 1));
  };
  if (objective.aggregation == "token-mean") return 1.0 / at_least_one(totals.tokens);
  const double sequences = at_least_one(totals.sequences);
  if (objective.aggregation == "seq-mean-token-sum") return 1.0 / sequences;
  if (objective.aggregation == "seq-mean-token-mean")
    return 1.0 / (sequences * static_cast<double>(n));
  check(objective.aggregation == "seq-mean-token-sum-norm",
        "aggregation is token-mean, seq-mean-token-sum, seq-mean-token-mean or "
        "seq-mean-token-sum-norm");
  return 1.0 / (sequences * at_least_one(totals.max_completion_length));
}

/// A value that a bound would hide must reach the loss: the caller refuses the update then.
bool all_finite(const Tokens& tokens, const LossSample& sample, std::span<const float> entropies) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::size_t t = tokens.places[i];
    if (!std::isfinite(tokens.differences[i]) || !std::isfinite(tokens.advantages[i])) return false;
    if (!sample.ref_logprobs.empty() && !std::isfinite(sample.ref_logprobs[t])) return false;
    if (!entropies.empty() && !std::isfinite(entropies[t])) return false;
  }
  return true;
}

/// One sample's loss: its terms are added to `stats`, derivatives to `tokens.d_logprob`.
class SampleLoss {
 public:
  SampleLoss(const Recipe& recipe, const LossSample& sample, Tokens& tokens, LossStats& stats)
      : recipe_(recipe), sample_(sample), tokens_(tokens), stats_(stats) {}

  void add_policy(double share, std::span<const std::uint8_t> taught) {
    std::vector<double> shares(tokens_.size(), share);
    for (std::size_t i = 0; i < shares.size(); ++i)
      if (taught[i] == 0) shares[i] = 0.0;
    if (recipe_.kind == PolicyLossKind::Gmpo)
      add_gmpo(std::accumulate(shares.begin(), shares.end(), 0.0));
    else
      add_surrogate(shares);
    const auto n = static_cast<double>(tokens_.size());
    stats_.clip_low_min = std::min(stats_.clip_low_min, static_cast<double>(low_) / n);
    stats_.clip_high_max = std::max(stats_.clip_high_max, static_cast<double>(high_) / n);
    if (recipe_.kind == PolicyLossKind::Cispo) {
      stats_.capped += high_;
    } else {
      stats_.clipped_low += low_;
      stats_.clipped_high += high_;
    }
  }

  void add_kl(double share) {
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      const double ref = sample_.ref_logprobs[tokens_.places[i]];
      KlTerm kl = kl_term(recipe_.estimator, tokens_.logprobs[i], ref);
      stats_.kl_sum += kl.value;
      if (recipe_.kl_coef == 0) continue;
      if (recipe_.objective.use_bias_correction_kl) {
        const LogRatio log_ratio = clamped(tokens_.differences[i]);
        const double ratio = std::exp(log_ratio.value);
        kl = {ratio * kl.value, ratio * (kl.d_logprob + log_ratio.slope * kl.value)};
      }
      stats_.loss += share * recipe_.kl_coef * kl.value;
      tokens_.d_logprob[i] += share * recipe_.kl_coef * kl.d_logprob;
    }
  }

 private:
  void add_surrogate(std::span<const double> shares) {
    const auto ratios = log_ratios(recipe_.level, tokens_.differences);
    std::vector<double> through_ratio(tokens_.size());
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      const SurrogateTerm term = surrogate(recipe_.kind, recipe_.objective, ratios[i].value,
                                           tokens_.logprobs[i], tokens_.advantages[i]);
      stats_.loss += shares[i] * term.loss;
      tokens_.d_logprob[i] += shares[i] * term.d_logprob;
      through_ratio[i] = shares[i] * term.d_log_ratio;
      low_ += term.low ? 1 : 0;
      high_ += term.high ? 1 : 0;
    }
    chain_log_ratios(recipe_.level, ratios, through_ratio);
    for (std::size_t i = 0; i < tokens_.size(); ++i)
      tokens_.d_logprob[i] += through_ratio[i];
  }

  void add_gmpo(double share) {
    const auto n = static_cast<double>(tokens_.size());
    const double advantage =
        std::accumulate(tokens_.advantages.begin(), tokens_.advantages.end(), 0.0) / n;
    const auto ratios = log_ratios(RatioLevel::Token, tokens_.differences);
    std::vector<double> slopes(tokens_.size());
    double sum = 0;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      const SurrogateTerm factor = gmpo_factor(recipe_.objective, ratios[i].value, advantage);
      sum += factor.loss;
      slopes[i] = factor.d_log_ratio * ratios[i].slope;
      low_ += factor.low ? 1 : 0;
      high_ += factor.high ? 1 : 0;
    }
    const double loss = -advantage * std::exp(sum / n);
    stats_.loss += share * loss;
    for (std::size_t i = 0; i < tokens_.size(); ++i)
      tokens_.d_logprob[i] += share * loss * slopes[i] / n;
  }

  const Recipe& recipe_;
  const LossSample& sample_;
  Tokens& tokens_;
  LossStats& stats_;
  std::int64_t low_ = 0, high_ = 0;
};

/// Views of one sample's part of a micro-batch.
struct SampleViews {
  std::span<const float> logprobs, entropies;
  std::span<float> d_logprob, d_entropy;
};

/// 1 for the tokens whose rollout entropy reaches the threshold.
std::vector<std::uint8_t> taught_tokens(const LossSample& sample, const Tokens& tokens,
                                        const std::optional<float>& threshold) {
  std::vector<std::uint8_t> taught(tokens.size(), 1);
  for (std::size_t i = 0; threshold && i < taught.size(); ++i)
    if (sample.old_entropies[tokens.places[i]] < *threshold) taught[i] = 0;
  return taught;
}

/// -coef * H of each taught token; coef is what one token has of the update's mean.
void add_entropy_bonus(double coef, const Tokens& tokens, std::span<const std::uint8_t> taught,
                       const SampleViews& views, LossStats& stats) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (taught[i] == 0) continue;
    stats.entropy_loss -= coef * views.entropies[tokens.places[i]];
    views.d_entropy[tokens.places[i]] = static_cast<float>(-coef);
  }
  stats.loss += stats.entropy_loss;
}

LossStats sample_loss(const Recipe& recipe, const LossSample& sample, const LossTotals& totals,
                      const SampleViews& views) {
  LossStats stats;
  if (counted(sample) == 0) return stats;
  Tokens tokens = counted_tokens(sample, views.logprobs);
  stats.sequences = 1;
  stats.tokens = static_cast<std::int64_t>(tokens.size());
  for (const std::size_t t : tokens.places)
    if (!views.entropies.empty()) stats.entropy_sum += views.entropies[t];
  const bool bonus = totals.entropy_coef != 0;
  if (!all_finite(tokens, sample, bonus ? views.entropies : std::span<const float>{})) {
    stats.loss = std::numeric_limits<double>::quiet_NaN();
    for (const std::size_t t : tokens.places)
      views.d_logprob[t] = std::numeric_limits<float>::quiet_NaN();
    return stats;
  }
  const double share = token_share(recipe.objective, totals, tokens.size());
  const auto taught = taught_tokens(sample, tokens, totals.entropy_threshold);
  SampleLoss loss(recipe, sample, tokens, stats);
  loss.add_policy(share, taught);
  if (!sample.ref_logprobs.empty()) loss.add_kl(share);
  for (std::size_t i = 0; i < tokens.size(); ++i)
    views.d_logprob[tokens.places[i]] = static_cast<float>(tokens.d_logprob[i]);
  if (bonus)
    add_entropy_bonus(totals.entropy_coef / static_cast<double>(totals.entropy_tokens), tokens,
                      taught, views, stats);
  return stats;
}

}  // namespace

LossStats policy_loss(const ObjectiveConfig& objective, std::span<const LossSample> samples,
                      const LossTotals& totals, const LossInputs& inputs,
                      const LossOutputs& outputs) {
  const Recipe recipe(objective);
  const auto part = [](auto values, std::size_t at, std::size_t n) {
    return values.empty() ? values : values.subspan(at, n);
  };
  LossStats stats;
  std::size_t at = 0;
  for (const auto& sample : samples) {
    const std::size_t n = sample.mask.size();
    stats.add(sample_loss(recipe, sample, totals,
                          {part(inputs.logprobs, at, n), part(inputs.entropies, at, n),
                           part(outputs.d_logprob, at, n), part(outputs.d_entropy, at, n)}));
    at += n;
  }
  check(at == inputs.logprobs.size(), "a micro-batch has as many log-probabilities as loss tokens");
  return stats;
}

}  // namespace aha
