#include "trainer/run/step.h"

#include <algorithm>
#include <limits>

#include "trainer/core/clock.h"
#include "trainer/metrics/reduce.h"
#include "trainer/objective/advantage.h"
#include "trainer/objective/policy_loss.h"
#include "trainer/optim/schedule.h"
#include "trainer/run/evaluate.h"
#include "trainer/run/update.h"

namespace aha {
namespace {

using PerToken = std::vector<std::vector<std::vector<float>>>;  // [P][G][T]

/// Everything that is constant while the step updates the policy.
struct StepData {
  std::vector<Group> groups;
  Advantages advantages;
  PerToken ref_logprobs;   // empty without a reference
  std::vector<bool> kept;  // [P] false: dropped for want of spread
  double entropy_coef = 0;
};

/// The metrics of the step's updates: sums, and means over updates.
struct UpdateTotals {
  LossStats stats;
  std::int64_t tokens = 0;          // denominators of the updates
  std::int64_t trained_tokens = 0;  // that were run through the model
  double grad_norm = 0;
  int updates = 0;
  LogpGap gap;  // of the first update alone
};

std::vector<SampleRef> all_samples(std::span<const Group> groups) {
  std::vector<SampleRef> samples;
  for (std::size_t g = 0; g < groups.size(); ++g)
    for (std::size_t c = 0; c < groups[g].completions.size(); ++c)
      samples.push_back({g, c});
  return samples;
}

/// lp_old - lp_ref, for estimators that put the KL term into the reward.
PerToken log_ratio_ref(const StepData& data) {
  PerToken result = data.ref_logprobs;
  for (std::size_t g = 0; g < result.size(); ++g)
    for (std::size_t c = 0; c < result[g].size(); ++c) {
      const auto& old = data.groups[g].completions[c].logprobs;
      for (std::size_t t = 0; t < old.size(); ++t)
        result[g][c][t] = old[t] - result[g][c][t];
    }
  return result;
}

bool kl_in_reward(const ObjectiveConfig& o) {
  return o.beta != 0 && (o.kl_in == "reward" || o.advantage_estimator == "reinforce_pp");
}

Advantages step_advantages(const Stage& stage, const StepData& data) {
  std::vector<double> weights;
  for (std::size_t r = 0; r < stage.scorer->names().size(); ++r)
    weights.push_back(stage.scorer->weight(r));
  const auto& objective = stage.settings.objective;
  const PerToken ratio = kl_in_reward(objective) ? log_ratio_ref(data) : PerToken{};
  return advantages({data.groups, weights, ratio}, objective);
}

LossSample loss_sample(const Stage& stage, const StepData& data, const SampleRef& ref) {
  const Completion& completion = data.groups[ref.group].completions[ref.completion];
  LossSample sample;
  sample.old_logprobs = completion.logprobs;
  sample.old_entropies = completion.entropies;
  sample.mask = completion.sampled;
  if (!data.ref_logprobs.empty())
    sample.ref_logprobs = data.ref_logprobs[ref.group][ref.completion];
  if (!data.advantages.tokens.empty())
    sample.token_advantages = data.advantages.tokens[ref.group][ref.completion];
  sample.advantage = data.advantages.values[ref.group][ref.completion];
  sample.excluded = stage.settings.objective.mask_truncated_completions && completion.truncated();
  return sample;
}

/// True when a sample's gradient is zero whatever the policy says: it is counted, but not computed.
bool teaches_nothing(const Stage& stage, const StepData& data, const LossSample& sample) {
  if (sample.excluded) return true;
  const bool kl_in_loss = !data.ref_logprobs.empty() && !kl_in_reward(stage.settings.objective);
  if (kl_in_loss || data.entropy_coef != 0) return false;
  if (sample.token_advantages.empty()) return sample.advantage == 0;
  return std::all_of(sample.token_advantages.begin(), sample.token_advantages.end(),
                     [](float a) { return a == 0; });
}

/// One optimizer update on the groups [first, last).
void one_update(Stage& stage, const StepData& data, std::size_t first, std::size_t last,
                UpdateTotals& totals) {
  const auto& objective = stage.settings.objective;
  std::vector<LossSample> counted;
  std::vector<SampleRef> trained;
  for (std::size_t g = first; g < last; ++g)
    for (std::size_t c = 0; data.kept[g] && c < data.groups[g].completions.size(); ++c) {
      counted.push_back(loss_sample(stage, data, {g, c}));
      if (!teaches_nothing(stage, data, counted.back())) trained.push_back({g, c});
    }
  const LossTotals denominators = loss_totals(
      objective, counted, stage.settings.rollout.max_completion_length, data.entropy_coef);
  const bool measure_gap = totals.updates == 0;
  const auto micro_loss = [&](const MicroBatch& micro, const Learner::TokenValues& values) {
    MicroResult result;
    std::vector<LossSample> samples;
    for (std::size_t i = 0; i < micro.samples.size(); ++i) {
      samples.push_back(loss_sample(stage, data, micro.samples[i]));
      if (measure_gap)
        result.gap.add(samples.back().old_logprobs,
                       std::span(values.logprobs)
                           .subspan(static_cast<std::size_t>(micro.offsets[i]),
                                    samples.back().old_logprobs.size()));
    }
    result.d_logprob.resize(values.logprobs.size());
    if (data.entropy_coef != 0) result.d_entropy.resize(values.logprobs.size());
    result.stats =
        policy_loss(objective, samples, denominators, {values.logprobs, values.entropies},
                    {result.d_logprob, result.d_entropy});
    return result;
  };
  UpdateResult update =
      update_policy(stage, data.groups, trained, micro_loss,
                    learning_rate_at(stage.step, stage.settings.optim, stage.total_steps));
  if (trained.size() < counted.size()) update.stats.clip_low_min = 0;
  for (const auto& ref : trained)
    totals.trained_tokens += data.groups[ref.group].completions[ref.completion].length();
  totals.stats.add(update.stats);
  totals.gap.add(update.gap);
  totals.tokens += denominators.tokens;
  totals.grad_norm += update.grad_norm;
  ++totals.updates;
}

UpdateTotals update_all(Stage& stage, const StepData& data) {
  const auto& objective = stage.settings.objective;
  const auto parts = static_cast<std::size_t>(std::max<std::int64_t>(1, objective.minibatches));
  UpdateTotals totals;
  for (std::int64_t pass = 0; pass < objective.num_iterations; ++pass)
    for (std::size_t part = 0; part < parts; ++part)
      one_update(stage, data, data.groups.size() * part / parts,
                 data.groups.size() * (part + 1) / parts, totals);
  return totals;
}

/// objective.sync_ref_model: ref = alpha * policy + (1 - alpha) * ref (TR-DPO, arXiv:2404.09656, eq. 5).
void mix_reference(Stage& stage) {
  const auto& objective = stage.settings.objective;
  if (!stage.reference || !objective.sync_ref_model ||
      (stage.step + 1) % objective.ref_model_sync_steps != 0)
    return;
  const float alpha = static_cast<float>(objective.ref_model_mixup_alpha);
  stage.reference->settle();
  const Tensor mixed = stage.reference->values();
  const Tensor trained = stage.policy.weights->values();
  float* ref = mixed.data_ptr<float>();
  const auto* policy = trained.const_data_ptr<float>();
  for (std::int64_t i = 0; i < mixed.numel(); ++i)
    ref[i] = alpha * policy[i] + (1.0F - alpha) * ref[i];
  stage.reference->assign(mixed);
  stage.reference->publish();
}

void set_update_metrics(const Stage& stage, const UpdateTotals& totals, MetricsRow& row) {
  const auto& objective = stage.settings.objective;
  const auto& stats = totals.stats;
  const double updates = totals.updates;
  const double tokens = static_cast<double>(std::max<std::int64_t>(1, totals.tokens));
  row.set("loss", stats.loss / updates);
  row.set("grad_norm", totals.grad_norm / updates);
  row.set("learning_rate", learning_rate_at(stage.step, stage.settings.optim, stage.total_steps));
  if (objective.entropy_coef != 0 || objective.use_adaptive_entropy) {
    row.set("policy_loss", (stats.loss - stats.entropy_loss) / updates);
    row.set("entropy_coef", stage.entropy.coefficient());
  }
  if (objective.beta != 0)
    row.set("kl", stats.kl_sum / static_cast<double>(std::max<std::int64_t>(1, stats.tokens)));
  if (objective.policy_loss == "cispo")
    row.set("cispo_clip_ratio", static_cast<double>(stats.capped) / tokens);
  if (objective.policy_loss == "clip" || objective.policy_loss == "gmpo") {
    row.set("clip_ratio/low_mean", static_cast<double>(stats.clipped_low) / tokens);
    row.set("clip_ratio/low_min", stats.sequences > 0 ? stats.clip_low_min : 0.0);
    row.set("clip_ratio/high_mean", static_cast<double>(stats.clipped_high) / tokens);
    row.set("clip_ratio/high_max", stats.clip_high_max);
    row.set("clip_ratio/region_mean",
            static_cast<double>(stats.clipped_low + stats.clipped_high) / tokens);
  }
  row.add(totals.gap.metrics());
}

void set_group_metrics(const Stage& stage, const Collected& collected, const StepData& data,
                       const ReflectionWords& words, MetricsRow& row) {
  const std::span<const Group> groups = data.groups;
  row.add(reward_metrics(groups, stage.scorer->names()));
  row.add(accuracy_metrics(groups));
  row.add(group_metrics(groups, stage.data.task.get(), words));
  row.set("entropy", rollout_entropy(groups));
  const auto& variance = stage.settings.objective.zero_variance_groups;
  if (variance != "keep")
    row.set("groups/dropped",
            static_cast<double>(std::count(data.kept.begin(), data.kept.end(), false)) +
                static_cast<double>(collected.drawn_groups) - static_cast<double>(groups.size()));
  if (variance == "refill")
    row.set("groups/refilled", static_cast<double>(collected.drawn_groups) -
                                   static_cast<double>(stage.settings.train.prompts_per_step));
  if (stage.sampler.epoch() > 0) row.set("epoch", stage.sampler.epoch());
  row.set("num_tokens", static_cast<double>(stage.num_tokens));
  row.set("timing_s/rollout", collected.rollout_s);
  row.set("timing_s/reward", collected.reward_s);
  row.set("perf/rollout_tokens_per_s",
          static_cast<double>(collected.completion_tokens) / collected.rollout_s);
}

}  // namespace

std::optional<StepResult> grpo_step(Stage& stage, MetricsRow& row, const ReflectionWords& words,
                                    const std::function<bool()>& cancelled) {
  auto collected = collect(stage, cancelled);
  if (!collected) return std::nullopt;
  return train_on(stage, std::move(*collected), row, words);
}

StepResult train_on(Stage& stage, Collected collected, MetricsRow& row,
                    const ReflectionWords& words) {
  StepData data;
  data.groups = std::move(collected.groups);
  const auto& objective = stage.settings.objective;
  for (const auto& group : data.groups)
    data.kept.push_back(objective.zero_variance_groups == "keep" || has_spread(group));
  if (stage.reference) {
    const auto start = Clock::now();
    const Phase phase(stage.comm, "reference", stage.global_step + 1);
    data.ref_logprobs =
        token_logprobs(stage, *stage.reference, data.groups, all_samples(data.groups));
    row.set("timing_s/reference", seconds_since(start));
  }
  data.advantages = step_advantages(stage, data);
  const double entropy = rollout_entropy(data.groups);
  data.entropy_coef = stage.entropy.effective(entropy);
  const auto start = Clock::now();
  const UpdateTotals totals = update_all(stage, data);
  const double train_s = seconds_since(start);
  stage.num_tokens += token_count(data.groups);
  set_group_metrics(stage, collected, data, words, row);
  set_update_metrics(stage, totals, row);
  row.set("timing_s/train", train_s);
  row.set("perf/train_tokens_per_s", static_cast<double>(totals.trained_tokens) / train_s);
  stage.entropy.update(entropy);
  mix_reference(stage);
  return {std::move(data.groups), std::move(data.advantages.values)};
}

}  // namespace aha
