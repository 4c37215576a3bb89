#pragma once
#include <functional>
#include <vector>

#include "trainer/config/schema.h"
#include "trainer/metrics/reflection.h"
#include "trainer/metrics/step_metrics.h"
#include "trainer/run/sample_groups.h"
#include "trainer/run/stage.h"

namespace aha {

/// How a policy is evaluated on one set.
struct EvalPlan {
  std::int64_t samples = 1;  ///< a prompt
  double temperature = 1.0;
  bool greedy = false;  ///< one greedy completion a prompt beside them
  std::vector<std::int64_t> pass_at_k;
  std::int64_t max_prompts = 0;            ///< 0: all
  std::int64_t global_step = 0;            ///< enters the random keys
  const ReflectionWords* words = nullptr;  ///< not null
  /// Stop ids, length, truncation, seed; purpose, temperature and keys are set by `evaluate`.
  SamplingParams params;
};

/// How a stage evaluates where it stands; after its last step with eval.final_num_generations.
EvalPlan eval_plan(const Stage& stage, const ReflectionWords& words);

struct EvalResult {
  MetricValues values;        ///< under bare metric names
  std::vector<Group> groups;  ///< the sampled ones, scored, in the set's order
  /// Of the reward that could judge least: the share of the completions, sampled or greedy, that it is meant for. Of
  /// rewards that weigh something and of the one that is the accuracy.
  double unjudged = 0;
};

/// Samples, scores and measures. Random numbers are keyed by (seed, set, row, global step, sample), so
/// a set's result does not depend on which other sets are evaluated, nor on when. Collective: the same on every
/// rank.
EvalResult evaluate(const SamplingTools& tools, const EvalSet& set, const EvalPlan& plan);

/// Lengths, reflection and the task's behaviour counts of scored groups: what training rows and
/// evaluation rows have in common.
MetricValues group_metrics(std::span<const Group> groups, const Task* task,
                           const ReflectionWords& words);

}  // namespace aha
