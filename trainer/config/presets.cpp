#include "trainer/config/presets.h"

#include <map>

#include "trainer/core/error.h"

namespace aha {
namespace {

/// What a preset may set. Members without a value stay as they are.
struct Recipe {
  std::string advantage_estimator = "group_norm";
  std::string policy_loss = "clip";
  std::string importance_sampling_level = "token";
  std::string kl_estimator = "k3";
  std::string aggregation = "token-mean";
  std::string scale_rewards = "group";
  std::string kl_in = "loss";
  double epsilon = 0.2;
  std::optional<double> epsilon_high;
};

/// beta is in none of them: a KL costs a reference model, so it is asked for by its own key.
const std::map<std::string, Recipe>& recipes() {
  static const std::map<std::string, Recipe> table = [] {
    std::map<std::string, Recipe> t;
    // DeepSeekMath 2402.03300 eq. 3: mean over the completions of the mean over their tokens
    t["grpo"].aggregation = "seq-mean-token-mean";
    // 2503.20783: no std, and a constant in the place of the length
    t["dr_grpo"].scale_rewards = "none";
    t["dr_grpo"].aggregation = "seq-mean-token-sum-norm";
    // 2503.14476: clip-higher
    t["dapo"].epsilon_high = 0.28;
    // TRL's bnpo, but over the global mini-batch where TRL takes the local micro-batch
    t["bnpo"] = {};
    // 2507.18071, section 5.1
    t["gspo"].importance_sampling_level = "sequence";
    t["gspo"].aggregation = "seq-mean-token-mean";
    t["gspo"].epsilon = 3e-4;
    t["gspo"].epsilon_high = 4e-4;
    // 2506.13585; the cap, is_cap_high 5, is ScaleRL's and TRL's
    t["cispo"].policy_loss = "cispo";
    // 2402.14740, and TRL: the ratio of the whole sequence, not divided by its length. Every token has
    // it, so the mean over tokens is the sequence's own loss
    t["rloo"].importance_sampling_level = "sequence_sum";
    t["rloo"].advantage_estimator = "rloo";
    t["rloo"].kl_estimator = "k1";
    t["rloo"].kl_in = "reward";
    t["rloo"].aggregation = "seq-mean-token-mean";
    t["rloo"].scale_rewards = "none";
    // 2501.03262: k1 in each token's reward, advantages whitened over the batch
    t["reinforce_pp"].advantage_estimator = "reinforce_pp";
    t["reinforce_pp"].kl_estimator = "k1";
    t["reinforce_pp"].kl_in = "reward";
    t["reinforce_pp"].scale_rewards = "batch";
    return t;
  }();
  return table;
}

}  // namespace

const std::vector<std::string>& preset_names() {
  static const std::vector<std::string> names = {"grpo", "dr_grpo", "dapo", "bnpo",
                                                 "gspo", "cispo",   "rloo", "reinforce_pp"};
  return names;
}

void apply_preset(ObjectiveConfig& objective, const std::set<std::string>& given) {
  const auto found = recipes().find(objective.preset);
  check(found != recipes().end(), "the preset was checked when read");
  const Recipe& recipe = found->second;
  const auto fill = [&](const char* key, auto& member, const auto& value) {
    if (!given.contains(key)) member = value;
  };
  fill("advantage_estimator", objective.advantage_estimator, recipe.advantage_estimator);
  fill("policy_loss", objective.policy_loss, recipe.policy_loss);
  fill("importance_sampling_level", objective.importance_sampling_level,
       recipe.importance_sampling_level);
  fill("kl_estimator", objective.kl_estimator, recipe.kl_estimator);
  fill("aggregation", objective.aggregation, recipe.aggregation);
  fill("scale_rewards", objective.scale_rewards, recipe.scale_rewards);
  fill("kl_in", objective.kl_in, recipe.kl_in);
  fill("epsilon", objective.epsilon, recipe.epsilon);
  fill("epsilon_high", objective.epsilon_high, recipe.epsilon_high);
}

}  // namespace aha
