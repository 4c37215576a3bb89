#include "trainer/run/evaluate.h"

#include <algorithm>

#include "trainer/core/error.h"
#include "trainer/metrics/reduce.h"

namespace aha {
namespace {

constexpr std::uint64_t kStepBits = 24;

/// (row, global step) as one draw ordinal of the key.
std::uint64_t eval_ordinal(std::int64_t row, std::int64_t global_step) {
  check(row >= 0 && row < (std::int64_t{1} << kStepBits) && global_step >= 0 &&
            global_step < (std::int64_t{1} << kStepBits),
        "an evaluation's row and step fit 24 bits each");
  return (static_cast<std::uint64_t>(row) << kStepBits) | static_cast<std::uint64_t>(global_step);
}

std::vector<Group> sample(const SamplingTools& tools, const EvalSet& set, const EvalPlan& plan,
                          std::int64_t samples, double temperature) {
  std::vector<GroupRequest> requests;
  const std::int64_t size = *set.prompts->size();
  const std::int64_t count = plan.max_prompts > 0 ? std::min(plan.max_prompts, size) : size;
  for (std::int64_t i = 0; i < count; ++i)
    requests.push_back({set.prompts->prompt(i), eval_ordinal(i, plan.global_step), samples, 0});
  SamplingParams params = plan.params;
  params.purpose = Purpose::Eval;
  params.stage = set.index;
  params.temperature = temperature;
  return std::move(sample_groups(tools, requests, params, 0)->groups);
}

/// Whether the reward or the accuracy of a source's completions has this part.
bool measures(const Scorer& scorer, std::size_t reward, std::string_view source) {
  return scorer.applies(reward, source) &&
         (scorer.weight(reward) != 0 || scorer.accuracy_part(source) == reward);
}

/// Of the completions that a reward is meant for; of the reward that could judge least.
double unjudged_share(std::span<const Group> groups, const Scorer& scorer) {
  double most = 0;
  for (std::size_t i = 0; i < scorer.names().size(); ++i) {
    double all = 0;
    double unjudged = 0;
    for (const auto& group : groups) {
      if (!measures(scorer, i, group.prompt.source)) continue;
      for (const auto& score : group.scores) {
        all += 1;
        unjudged += score.parts[i].score ? 0 : 1;
      }
    }
    if (all > 0) most = std::max(most, unjudged / all);
  }
  return most;
}

void append(MetricValues& values, const MetricValues& more) {
  values.insert(values.end(), more.begin(), more.end());
}

}  // namespace

MetricValues group_metrics(std::span<const Group> groups, const Task* task,
                           const ReflectionWords& words) {
  MetricValues values = length_metrics(groups);
  append(values, reflection_metrics(groups, words));
  if (task == nullptr) return values;
  BehaviourCounts sums;
  std::int64_t completions = 0;
  for (const auto& group : groups)
    for (const auto& completion : group.completions) {
      ++completions;
      for (const auto& [name, count] : task->behaviour(group.prompt.fields, completion.text))
        sums[name] += count;
    }
  for (const auto& [name, rate] : task->behaviour_rates(sums, completions))
    values.emplace_back(name, rate);
  return values;
}

EvalPlan eval_plan(const Stage& s, const ReflectionWords& words) {
  const auto& e = s.settings.eval;
  const bool last = s.step == s.total_steps;
  EvalPlan plan;
  plan.samples = last && e.final_num_generations > 0 ? e.final_num_generations : e.num_generations;
  plan.temperature = e.temperature;
  plan.greedy = e.greedy;
  plan.pass_at_k = e.pass_at_k;
  plan.max_prompts = e.max_prompts;
  plan.global_step = s.global_step;
  plan.words = &words;
  plan.params = rollout_params(s);
  return plan;
}

EvalResult evaluate(const SamplingTools& tools, const EvalSet& set, const EvalPlan& plan) {
  EvalResult result{{}, sample(tools, set, plan, plan.samples, plan.temperature)};
  result.unjudged = unjudged_share(result.groups, tools.scorer);
  MetricValues& values = result.values;
  values.emplace_back("entropy", rollout_entropy(result.groups));
  append(values, reward_metrics(result.groups, tools.scorer.names()));
  append(values, accuracy_metrics(result.groups, plan.pass_at_k,
                                  tools.scorer.accuracy_part(set.prompts->dataset().name())));
  values.emplace_back("accuracy_stderr", accuracy_stderr(result.groups));
  append(values, group_metrics(result.groups, set.task.get(), *plan.words));
  if (plan.greedy) {
    const auto groups = sample(tools, set, plan, 1, 0.0);
    values.emplace_back("greedy_accuracy", mean_accuracy(groups));
    result.unjudged = std::max(result.unjudged, unjudged_share(groups, tools.scorer));
  }
  return result;
}

}  // namespace aha
