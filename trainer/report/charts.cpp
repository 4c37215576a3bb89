#include "trainer/report/charts.h"

#include <algorithm>
#include <array>
#include <set>

namespace aha {
namespace {

// {id, title, unit, keys, says}; one line a chart.
// clang-format off
constexpr auto kCharts = std::to_array<Chart>({
    {"accuracy", "Accuracy", "share right", "eval_accuracy eval_greedy_accuracy eval_maj@<k> eval_pass@<k> accuracy", "Held-out problems (eval_) and those trained on. One sample a problem, the majority's answer (maj@k), any of k (pass@k). R1-Zero's figure 1a."},
    {"length", "Answer length", "tokens", "completions/mean_length eval_completions/mean_length", "Mean over training prompts and held-out ones. R1-Zero's figure 1b: it grows when thinking longer pays."},
    {"reflection", "Reflective words", "words a completion", "reflection/per_completion reflection/wait eval_reflection/per_completion eval_reflection/wait", "All words of log.reflection_words, and `wait` alone. R1-Zero's figure 9."},
    {"reflection_pays", "Does reflection pay?", "share", "reflection/share reflection/accuracy_with reflection/accuracy_without", "Share of completions that reflect, and accuracy of those that do and do not. It pays where `with` is above `without`; hard problems can hide it."},
    {"verification", "Does it know a miss?", "share", "eval_verification_gap verification_gap p_wait_given_miss p_wait_given_hit verdict_accuracy", "Gap: how much more often it goes on after a miss (a wrong try) than after a hit. Near 0 it cannot tell them apart, and going on destroys as much as it saves. verdict_accuracy: share of its own verdicts on its tries that are right."},
    {"lengths", "Length of right and wrong answers", "tokens", "completions/mean_length_correct completions/mean_length_wrong", "Wrong answers that alone grow longer are rambling, not thinking."},
    {"reward", "Reward and its parts", "reward", "reward eval_reward rewards/<func>/mean", "The weighted sum, and each reward before its weight."},
    {"groups", "Groups that teach nothing", "share", "frac_reward_zero_std unjudged_ratio", "Share of completions in groups whose rewards are all equal, and of those that could not be judged."},
    {"truncated", "Cut answers", "share", "completions/clipped_ratio eval_completions/clipped_ratio", "Share that reached rollout.max_completion_length."},
    {"entropy", "Entropy", "nats a token", "entropy eval_entropy", "Of the policy's next token. A fall to nothing before the reward has risen is collapse."},
    {"kl", "Distance from the reference", "nats a token", "kl", "KL estimate against the reference policy."},
    {"clip", "Clipped tokens", "share of tokens", "clip_ratio/region_mean clip_ratio/low_mean clip_ratio/high_mean cispo_clip_ratio", "0 with one update a rollout. More than a few percent: the policy moves too far in one step."},
    {"gradient", "Gradient norm", "", "grad_norm", "Before clipping. Spikes and values that are no numbers end runs."},
    {"mismatch", "Rollout against training", "nats", "sampling/sampling_logp_difference/mean sampling/sampling_logp_difference/max mismatch_kl", "Difference of the log-probabilities that sampling and training compute for one token. 0: the same arithmetic."},
    {"loss", "Loss", "", "loss policy_loss actor/pg_loss", "With one update a rollout it starts near 0 by construction: it says little."},
    {"rate", "Learning rate", "", "learning_rate", "Of each step's first update."},
    {"behaviour", "Behaviour by the task's parse", "", "attempts waits gave_up illegal slips answered long_traces equations", "What the task reads off the completions."},
    {"speed", "Tokens a second", "tokens/s", "perf/rollout_tokens_per_s perf/train_tokens_per_s perf/tokens_per_s", "Sampling, training, and the whole step."},
    {"time", "Time of a step", "s", "step_time timing_s/rollout timing_s/reward timing_s/reference timing_s/train timing_s/comm timing_s/eval timing_s/save", "By phase."},
});
// clang-format on

}  // namespace

std::span<const Chart> chart_table() {
  return kCharts;
}

bool matches(std::string_view pattern, std::string_view key) {
  const auto open = pattern.find('<');
  if (open == std::string_view::npos) return pattern == key;
  const auto head = pattern.substr(0, open);
  const auto tail = pattern.substr(pattern.find('>', open) + 1);
  return key.size() > head.size() + tail.size() && key.substr(0, head.size()) == head &&
         key.substr(key.size() - tail.size()) == tail;
}

std::vector<std::string> chart_keys(const Chart& chart, std::span<const RunRecord> runs) {
  std::set<std::string> present;
  for (const auto& run : runs)
    if (const auto* stage = run.main_stage())
      for (const auto& [key, series] : stage->series)
        if (!series.empty()) present.insert(key);
  std::vector<std::string> keys;
  std::string_view rest = chart.keys;
  while (!rest.empty()) {
    const auto end = std::min(rest.find(' '), rest.size());
    for (const auto& key : present)
      if (matches(rest.substr(0, end), key)) keys.push_back(key);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return keys;
}

}  // namespace aha
