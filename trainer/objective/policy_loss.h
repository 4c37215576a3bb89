#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "trainer/config/schema.h"

namespace aha {

/// One completion as the loss sees it. Views; T is its number of loss tokens.
struct LossSample {
  std::span<const float> old_logprobs;      ///< [T] of the rollout
  std::span<const float> old_entropies;     ///< [T] nats, of the rollout
  std::span<const float> ref_logprobs;      ///< [T], or empty without a reference
  std::span<const std::uint8_t> mask;       ///< [T] 1: sampled by the policy
  std::span<const float> token_advantages;  ///< [T], or empty: `advantage` for each token
  float advantage = 0;
  bool excluded = false;  ///< overlong masking: as if the mask were 0 everywhere
};

/// Tokens that count: in the mask of a sample that is not excluded.
std::int64_t counted(const LossSample& sample);

/// Denominators of one optimizer update, over all of its samples: computed before the first backward
/// pass, so that the loss does not depend on how the update is cut into micro-batches.
struct LossTotals {
  std::int64_t tokens = 0;                 ///< that count
  std::int64_t sequences = 0;              ///< with at least one token that counts
  std::int64_t max_completion_length = 0;  ///< L_max of seq-mean-token-sum-norm
  std::optional<float>
      entropy_threshold;            ///< policy term and bonus only where old_entropies reach it
  std::int64_t entropy_tokens = 0;  ///< that do
  double entropy_coef = 0;
};
LossTotals loss_totals(const ObjectiveConfig& objective, std::span<const LossSample> samples,
                       std::int64_t max_completion_length, double entropy_coef);

/// Sums of one or several micro-batches (add), and per-update means from them.
struct LossStats {
  double loss = 0;          ///< share of the update's loss, all terms
  double entropy_loss = 0;  ///< share of it that is the entropy bonus (negative); 0 without
  double kl_sum = 0;        ///< of the estimator's values, over counted tokens
  double entropy_sum = 0;   ///< of the present policy, over counted tokens
  std::int64_t tokens = 0;
  std::int64_t sequences = 0;
  std::int64_t clipped_low = 0;   ///< tokens with a negative advantage below 1 - epsilon
  std::int64_t clipped_high = 0;  ///< tokens with a positive advantage above 1 + epsilon_high
  std::int64_t capped = 0;        ///< cispo: tokens with a positive advantage above is_cap_high
  double clip_low_min = 1;        ///< lowest share of a completion
  double clip_high_max = 0;       ///< highest share of a completion
  void add(const LossStats& other);
};

/// What the present policy says of the samples' tokens, one sample after the other.
struct LossInputs {
  std::span<const float> logprobs;   ///< [sum T]
  std::span<const float> entropies;  ///< [sum T]
};

/// Where the derivatives go: zeroed by the caller.
struct LossOutputs {
  std::span<float> d_logprob;  ///< [sum T]
  std::span<float> d_entropy;  ///< [sum T], or empty when entropy_coef is 0
};

/// The loss of `samples` (a micro-batch's) and its derivatives:
///
///   sum_t share_t (policy term + beta KL_t)  -  entropy_coef mean_t H_t
///
/// with the policy term of surrogate.h at the ratio of ratio.h, KL of kl.h (with use_bias_correction_kl times the
/// token's ratio, which is differentiated too: DeepSeek-V3.2, arXiv:2512.02556), and share_t by aggregation:
///
///   token-mean               1 / tokens
///   seq-mean-token-sum       1 / sequences
///   seq-mean-token-mean      1 / (sequences |o|)
///   seq-mean-token-sum-norm  1 / (sequences L_max)
///
/// |o| and all totals count sampled tokens of samples that are not excluded; mean_t H runs over the tokens that
/// reach the entropy threshold. A value that is not finite makes the loss NaN: no bound hides it. Sums are in
/// double. InternalError for unknown names and sizes that differ.
LossStats policy_loss(const ObjectiveConfig& objective, std::span<const LossSample> samples,
                      const LossTotals& totals, const LossInputs& inputs,
                      const LossOutputs& outputs);

}  // namespace aha
