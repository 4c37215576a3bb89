#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trainer/core/types/group.h"
#include "trainer/metrics/step_metrics.h"

namespace aha {

// Scored groups to metrics. All sums run in the order of groups and completions, in double: the
// same groups give the same bits. Keys are bare: MetricsRow::add puts an evaluation's prefix before
// them. Means over nothing are NaN (null in metrics.jsonl).

/// Right: reward.accuracy above one half, for verifiers that say 0 / 1 as for those that say -1
/// / 1. Nothing: cannot be judged.
std::optional<bool> is_correct(const Score& score);

/// completions/*: as TRL (GRPOTrainer 1.16, `_generate`), but for two things: truncated is what the
/// engine stopped at the limit (TRL asks whether the last id is an end-of-text id, and so counts
/// stop strings as truncated), and mean_length_correct / mean_length_wrong are ours.
MetricValues length_metrics(std::span<const Group> groups);

/// reward, reward_std, frac_reward_zero_std, rewards/<func>/{mean,std}, unjudged_ratio; `names` in
/// the order of Score::parts. As TRL (`_generate_and_score_completions`), but for two things: a
/// completion of which any weighted reward cannot be judged is left out of `reward` (TRL leaves it
/// out when none can be, and else counts what cannot be judged as 0), and frac_reward_zero_std
/// always looks at groups (TRL's looks at the batch with scale_rewards "batch").
MetricValues reward_metrics(std::span<const Group> groups, std::span<const std::string> names);

/// accuracy, and for each k pass@k and, when `accuracy_part` tells which of Score::parts holds the
/// extracted answer, maj@k. A prompt with fewer than k (pass@k: judged) samples is left out of that
/// k.
MetricValues accuracy_metrics(std::span<const Group> groups,
                              std::span<const std::int64_t> pass_at_k = {},
                              std::optional<std::size_t> accuracy_part = std::nullopt);

/// Share of judged completions that are right; NaN when none is judged.
double mean_accuracy(std::span<const Group> groups);

/// Standard error of `mean_accuracy` with prompts drawn independently and samples of one prompt
/// not: sqrt(P / (P - 1) * sum_p (correct_p - accuracy * judged_p)^2) / sum_p judged_p over the P
/// prompts with a judged sample: the ratio estimator's (Cochran 1977, eq. 6.13). NaN below two such
/// prompts.
double accuracy_stderr(std::span<const Group> groups);

/// Chance that at least one of k samples is right, from n samples of which c are right:
///   1 - C(n - c, k) / C(n, k).
/// Unbiased; source: Chen et al. 2021 (arXiv:2107.03374), eq. 1. Needs 0 <= c <= n and 1 <= k <= n.
double pass_at_k(std::int64_t n, std::int64_t c, std::int64_t k);

/// The most frequent answer that is not empty, the earliest of those that tie; nothing when all are
/// empty. Returns the index of its first occurrence (cons@k of DeepSeek-R1, arXiv:2501.12948;
/// maj@k). Answers are compared as texts.
std::optional<std::size_t> majority_answer(std::span<const std::string_view> answers);

/// Tokens as TRL's num_tokens counts them: every completion, and its prompt once for each
/// completion.
std::int64_t token_count(std::span<const Group> groups);

/// Mean entropy in nats over the tokens that the policy drew, as the sampler saw it; NaN without
/// any.
double rollout_entropy(std::span<const Group> groups);

/// How far the rollout's log-probabilities are from training's, gathered micro-batch by
/// micro-batch.
class LogpGap {
 public:
  /// Log-probabilities of the same sampled tokens. InternalError when the lengths differ.
  void add(std::span<const float> rollout, std::span<const float> training);
  void add(const LogpGap& other);

  /// sampling/sampling_logp_difference/{mean,max} = |training - rollout|, and mismatch_kl = w - log
  /// w - 1 with w = exp(training - rollout) (Schulman, "Approximating KL divergence", k3). NaN when
  /// no token was compared: a gap that was not measured is not a gap of 0.
  MetricValues metrics() const;

 private:
  std::int64_t count_ = 0;
  double sum_ = 0;
  double max_ = 0;
  double kl_sum_ = 0;
};

}  // namespace aha
