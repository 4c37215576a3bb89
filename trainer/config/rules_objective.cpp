#include <set>

#include "trainer/config/rule_list.h"

namespace aha {
namespace {

void check_group(const StageConfig& stage, RuleList& rules) {
  const auto& o = stage.objective;
  const std::set<std::string> grouped = {"group_norm", "rloo", "reinforce_pp_baseline",
                                         "gdpo",       "opo",  "max_rl"};
  if (stage.rollout.num_generations < 2 && grouped.contains(o.advantage_estimator))
    rules.broken(
        "rollout.num_generations",
        "1 completion has no group to be compared with, as objective.advantage_estimator {} does; "
        "use 2 or more, or reinforce_pp",
        o.advantage_estimator);
  if (stage.rollout.num_generations < 2 && o.zero_variance_groups != "keep")
    rules.broken("objective.zero_variance_groups",
                 "{}: with rollout.num_generations 1 no group has a variance; use keep",
                 o.zero_variance_groups);
  if (o.minibatches > stage.train.prompts_per_step)
    rules.broken("objective.minibatches", "{} parts cannot be made of train.prompts_per_step {}",
                 o.minibatches, stage.train.prompts_per_step);
  if (o.mask_truncated_completions && stage.rollout.ignore_eos)
    rules.broken("objective.mask_truncated_completions",
                 "rollout.ignore_eos truncates every completion, so nothing would be trained on");
}

void check_ratio(const ObjectiveConfig& o, RuleList& rules) {
  const double high = 1 + o.epsilon_high.value_or(o.epsilon);
  if (o.delta && *o.delta <= high)
    rules.broken("objective.delta", "{} is not above 1 + {} = {:g}; the published value is 4",
                 *o.delta, o.epsilon_high ? "objective.epsilon_high" : "objective.epsilon", high);
  if (o.is_cap_low >= o.is_cap_high)
    rules.broken("objective.is_cap_low", "{} is not below objective.is_cap_high {}", o.is_cap_low,
                 o.is_cap_high);
  if (o.importance_sampling_level != "token" && (o.policy_loss == "gmpo" || o.policy_loss == "gpg"))
    rules.broken("objective.importance_sampling_level",
                 "{} has no meaning for objective.policy_loss {}, which has no ratio of that kind; "
                 "use token",
                 o.importance_sampling_level, o.policy_loss);
}

void check_kl(const ObjectiveConfig& o, RuleList& rules) {
  if (o.sync_ref_model && o.beta == 0)
    rules.broken("objective.sync_ref_model",
                 "objective.beta 0 has no reference; give it a value above 0");
  if (o.beta == 0) return;
  const bool in_reward = o.kl_in == "reward";
  if (in_reward && (o.advantage_estimator == "gdpo" || o.advantage_estimator == "max_rl"))
    rules.broken("objective.kl_in",
                 "objective.advantage_estimator {} has no place for a KL in the reward; use loss",
                 o.advantage_estimator);
  if (!in_reward && o.advantage_estimator == "reinforce_pp")
    rules.broken(
        "objective.kl_in",
        "objective.advantage_estimator reinforce_pp takes the KL from the reward; use reward");
  if (in_reward && o.kl_estimator != "k1")
    rules.broken("objective.kl_estimator",
                 "{}: objective.kl_in reward takes k1 from the reward; use k1", o.kl_estimator);
  if (in_reward && o.use_bias_correction_kl)
    rules.broken(
        "objective.use_bias_correction_kl",
        "corrects a gradient that objective.kl_in reward does not have; use false, or loss");
}

void check_entropy(const ObjectiveConfig& o, RuleList& rules) {
  if (o.entropy_coef_min > o.entropy_coef_max)
    rules.broken("objective.entropy_coef_min", "{} is above objective.entropy_coef_max {}",
                 o.entropy_coef_min, o.entropy_coef_max);
  else if (o.use_adaptive_entropy &&
           (o.entropy_coef < o.entropy_coef_min || o.entropy_coef > o.entropy_coef_max))
    rules.broken(
        "objective.entropy_coef",
        "{} is not between objective.entropy_coef_min {} and objective.entropy_coef_max {}",
        o.entropy_coef, o.entropy_coef_min, o.entropy_coef_max);
}

}  // namespace

void check_objective(const StageConfig& stage, RuleList& rules) {
  check_group(stage, rules);
  check_ratio(stage.objective, rules);
  check_kl(stage.objective, rules);
  check_entropy(stage.objective, rules);
}

}  // namespace aha
