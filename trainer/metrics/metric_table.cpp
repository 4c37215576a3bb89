#include <array>

#include "trainer/metrics/step_metrics.h"

namespace aha {
namespace {

using enum MetricScope;

// {key, unit, meaning, when, scope}; one line an entry, in the order of a row.
// clang-format off
constexpr auto kTable = std::to_array<MetricInfo>({
    // Progress.
    {"epoch", "", "passes over the training set so far, with the fraction of the present one", "the training set is finite", Train},
    {"num_tokens", "tokens", "tokens seen since the stage began: of every completion, and of its prompt once for each completion", "", Train},
    // The update.
    {"loss", "", "the step's loss; with one update a rollout it starts near 0 by construction, since advantages have mean 0", "after an update", Train},
    {"policy_loss", "", "the loss without its entropy term", "entropy_coef is not 0 or adaptive", Train},
    {"grad_norm", "", "Euclidean norm of the gradient before clipping; of several updates the mean", "after an update", Train},
    {"learning_rate", "", "of the step's first update", "after an update", Train},
    {"entropy", "nats", "mean over sampled tokens of the policy's entropy at the sampling temperature", "", Both},
    {"entropy_coef", "", "weight of the entropy bonus", "entropy_coef is not 0 or adaptive", Train},
    {"kl", "nats", "mean over sampled tokens of the KL estimate against the reference", "beta is not 0", Train},
    {"clip_ratio/low_mean", "", "share of tokens with a negative advantage whose ratio is below 1 - epsilon, of all tokens", "clipped losses", Train},
    {"clip_ratio/low_min", "", "the same share, of the completion where it is lowest", "clipped losses", Train},
    {"clip_ratio/high_mean", "", "share of tokens with a positive advantage whose ratio is above 1 + epsilon_high, of all tokens", "clipped losses", Train},
    {"clip_ratio/high_max", "", "the same share, of the completion where it is highest", "clipped losses", Train},
    {"clip_ratio/region_mean", "", "share of tokens that either bound clips", "clipped losses", Train},
    {"cispo_clip_ratio", "", "share of tokens with a positive advantage whose ratio is above is_cap_high", "policy_loss cispo", Train},
    {"sampling/sampling_logp_difference/mean", "nats", "mean of |training - rollout log-probability| over sampled tokens, before any masking and before weights change; 0 on a CPU", "grpo", Train},
    {"sampling/sampling_logp_difference/max", "nats", "the largest such difference", "grpo", Train},
    {"mismatch_kl", "nats", "mean of w - log w - 1, w = training probability / rollout probability, of the same tokens; null where no completion was trained", "grpo", Train},
    // Rewards.
    {"reward", "", "mean of the weighted sum of rewards, over judged completions", "", Both},
    {"reward_std", "", "standard deviation (n - 1) of the same over all judged completions of the batch, not the mean over groups", "", Both},
    {"frac_reward_zero_std", "", "share of completions in groups whose rewards are all equal: they teach nothing", "", Both},
    {"rewards/<func>/mean", "", "mean of one reward before its weight, over the completions that it judged", "", Both},
    {"rewards/<func>/std", "", "standard deviation (n - 1) of the same", "", Both},
    {"unjudged_ratio", "", "share of completions whose reward could not be judged; they are in no mean or std, their advantage is 0", "", Both},
    {"groups/dropped", "groups", "groups without variance that were left out of the update", "zero_variance_groups drop or refill", Train},
    {"groups/refilled", "groups", "groups drawn beyond prompts_per_step to replace dropped ones", "zero_variance_groups refill", Train},
    // Accuracy.
    {"accuracy", "", "share of judged completions that are right: reward.accuracy above 0.5", "", Both},
    {"accuracy_stderr", "", "standard error of accuracy with prompts as the unit, so that samples of one prompt do not count as independent", "", Eval},
    {"greedy_accuracy", "", "accuracy of one greedy completion a prompt", "eval.greedy", Eval},
    {"pass@<k>", "", "chance that at least one of k samples is right, unbiased estimate, mean over prompts", "k is in eval.pass_at_k", Both},
    {"maj@<k>", "", "share of prompts where the most frequent answer of the first k samples is right", "k is in eval.pass_at_k", Both},
    // Lengths.
    {"completions/mean_length", "tokens", "mean length, the final stop id included", "", Both},
    {"completions/min_length", "tokens", "shortest", "", Both},
    {"completions/max_length", "tokens", "longest", "", Both},
    {"completions/clipped_ratio", "", "share of completions cut at max_completion_length", "", Both},
    {"completions/mean_terminated_length", "tokens", "mean length of those that were not cut; 0 when all were", "", Both},
    {"completions/min_terminated_length", "tokens", "shortest of those", "", Both},
    {"completions/max_terminated_length", "tokens", "longest of those", "", Both},
    {"completions/mean_length_correct", "tokens", "mean length of right completions", "", Both},
    {"completions/mean_length_wrong", "tokens", "mean length of wrong completions", "", Both},
    // Reflection.
    {"reflection/share", "", "share of completions with at least one word of log.reflection_words", "", Both},
    {"reflection/per_completion", "words", "such words per completion", "", Both},
    {"reflection/per_1k_tokens", "words", "such words per 1,000 sampled tokens", "", Both},
    {"reflection/wait", "words", "`wait` alone, per completion", "", Both},
    {"reflection/accuracy_with", "", "accuracy of completions with at least one such word", "", Both},
    {"reflection/accuracy_without", "", "accuracy of completions with none", "", Both},
    // What a task reads off a completion by parsing it.
    {"waits", "", "`wait`s per completion", "countdown_wait", Both},
    {"attempts", "", "attempts per completion", "countdown_wait", Both},
    {"gave_up", "", "share of completions that answer with an attempt known to miss", "countdown_wait", Both},
    {"verdict_accuracy", "", "share of stated verdicts that are right", "countdown_wait", Both},
    {"p_wait_given_miss", "", "share of missed attempts after which the policy goes on", "countdown_wait", Both},
    {"p_wait_given_hit", "", "share of hits after which it goes on", "countdown_wait", Both},
    {"verification_gap", "", "p_wait_given_miss - p_wait_given_hit: whether it knows a miss when it sees one", "countdown_wait", Both},
    {"illegal", "", "share of attempts that do not use the given numbers once each", "countdown_wait", Both},
    {"slips", "", "share of stated steps that are false", "task", Both},
    {"answered", "", "share of completions that end in an answer", "parity, countdown", Both},
    {"long_traces", "", "share of completions that write every running parity", "parity", Both},
    {"equations", "", "equations per completion", "countdown", Both},
    // Time and speed: all that may differ between two equal runs.
    {"step_time", "s", "the whole step without evaluation and saving", "", Train},
    {"timing_s/rollout", "s", "sampling", "grpo", Train},
    {"timing_s/reward", "s", "scoring, beyond what ran beside the rollout", "grpo", Train},
    {"timing_s/reference", "s", "log-probabilities of the reference", "beta is not 0", Train},
    {"timing_s/train", "s", "forward, backward and optimizer", "", Train},
    {"timing_s/comm", "s", "collectives, waiting for other ranks included", "several ranks", Train},
    {"timing_s/eval", "s", "evaluation", "the row has one", Train},
    {"timing_s/save", "s", "writing a checkpoint", "the row has one", Train},
    {"perf/rollout_tokens_per_s", "tokens/s", "sampled tokens by timing_s/rollout", "grpo", Train},
    {"perf/train_tokens_per_s", "tokens/s", "tokens trained on by timing_s/train", "", Train},
    {"perf/tokens_per_s", "tokens/s", "tokens trained on by step_time", "", Train},
    {"perf/cpu_memory_used_gb", "GiB", "largest resident memory of the process so far", "", Train},
});
// clang-format on

}  // namespace

std::span<const MetricInfo> metric_table() {
  return kTable;
}

}  // namespace aha
