#include "trainer/config/describe.h"
#include "trainer/config/presets.h"

namespace aha {
namespace {

Key at_least_0(const char* name, const char* meaning) {
  return Key(name, meaning).at_least(0);
}
Key share(const char* name, const char* meaning) {
  return Key(name, meaning).at_least(0).at_most(1);
}

void describe_advantage(Visitor& v, ObjectiveConfig& s) {
  v.leaf(Key("preset",
             "fills in advantage_estimator, policy_loss, importance_sampling_level, "
             "kl_estimator, aggregation and their recipe, save keys that are given")
             .one_of(preset_names())
             .also("loss_type")
             .in_trl("loss_type"),
         &s.preset);
  v.leaf(Key("advantage_estimator", "baseline and scale of the advantages")
             .one_of({"group_norm", "rloo", "reinforce_pp", "reinforce_pp_baseline", "gdpo", "opo",
                      "max_rl"}),
         &s.advantage_estimator);
  v.leaf(Key("scale_rewards", "group_norm: divide by the group's or the batch's std, or not")
             .one_of({"group", "batch", "none"}),
         &s.scale_rewards);
  v.leaf(Key("std_ddof", "1: std over n - 1, 0: over n").at_least(0).at_most(1), &s.std_ddof);
  v.leaf(at_least_0("std_epsilon", "added to the std"), &s.std_epsilon);
}

void describe_loss(Visitor& v, ObjectiveConfig& s) {
  v.leaf(Key("policy_loss", "loss of a token").one_of({"clip", "cispo", "gmpo", "sapo", "gpg"}),
         &s.policy_loss);
  v.leaf(Key("importance_sampling_level",
             "ratio of a token, of a sequence (GSPO), GSPO's with gradients of tokens, or of a "
             "sequence without dividing its logarithm by the length (RLOO)")
             .one_of({"token", "sequence", "sequence_token", "sequence_sum"}),
         &s.importance_sampling_level);
  v.leaf(share("epsilon", "clip: ratios below 1 - epsilon"), &s.epsilon);
  v.leaf(at_least_0("epsilon_high", "clip: ratios above 1 + epsilon_high; nothing: epsilon"),
         &s.epsilon_high);
  v.leaf(Key("delta", "clip: bound on the ratio before all else (two-sided, INTELLECT-2)").above(1),
         &s.delta);
  v.leaf(Key("dual_clip", "clip: bound c on the loss where the advantage is negative").above(1),
         &s.dual_clip);
  v.leaf(at_least_0("is_cap_low", "cispo: least ratio"), &s.is_cap_low);
  v.leaf(Key("is_cap_high",
             "cispo: greatest ratio to the rollout's probability, the cap of truncated importance "
             "sampling")
             .above(0)
             .in_trl("epsilon_high"),
         &s.is_cap_high);
  v.leaf(Key("gmpo_clip", "gmpo: bound on the log-ratio of a token").above(0), &s.gmpo_clip);
  v.leaf(Key("sapo_temperature_pos", "sapo: tau of positive advantages").above(0),
         &s.sapo_temperature_pos);
  v.leaf(Key("sapo_temperature_neg", "sapo: tau of negative advantages").above(0),
         &s.sapo_temperature_neg);
  v.leaf(Key("aggregation",
             "mean over the tokens of a mini-batch (all micro-batches and ranks), or over "
             "its sequences of a token sum, mean, or sum / max_completion_length")
             .one_of({"token-mean", "seq-mean-token-sum", "seq-mean-token-mean",
                      "seq-mean-token-sum-norm"}),
         &s.aggregation);
}

void describe_kl(Visitor& v, ObjectiveConfig& s) {
  v.leaf(at_least_0("beta", "weight of the KL to the reference; 0 loads no reference"), &s.beta);
  v.leaf(Key("kl_estimator", "of one token; k3+: value of k3, gradient of k2")
             .one_of({"k1", "k2", "k3", "k3+"}),
         &s.kl_estimator);
  v.leaf(Key("kl_in", "the KL is a term of the loss, or taken from the reward")
             .one_of({"loss", "reward"}),
         &s.kl_in);
  v.leaf(Key("use_bias_correction_kl", "multiply the KL by the ratio (DeepSeek-V3.2)"),
         &s.use_bias_correction_kl);
  v.leaf(Key("sync_ref_model", "move the reference towards the policy now and then"),
         &s.sync_ref_model);
  v.leaf(share("ref_model_mixup_alpha", "share of the policy in it; 1: a copy"),
         &s.ref_model_mixup_alpha);
  v.leaf(Key("ref_model_sync_steps", "every so many steps").at_least(1), &s.ref_model_sync_steps);
}

void describe_entropy(Visitor& v, ObjectiveConfig& s) {
  v.leaf(at_least_0("entropy_coef", "weight of the entropy bonus"), &s.entropy_coef);
  v.leaf(Key("use_adaptive_entropy", "let the weight follow entropy_target (Skywork-OR1)"),
         &s.use_adaptive_entropy);
  v.leaf(at_least_0("entropy_coef_min", "adaptive: least weight"), &s.entropy_coef_min);
  v.leaf(at_least_0("entropy_coef_max", "adaptive: greatest weight"), &s.entropy_coef_max);
  v.leaf(at_least_0("entropy_coef_delta", "adaptive: change of the weight a step"),
         &s.entropy_coef_delta);
  v.leaf(at_least_0("entropy_target", "adaptive: nats a token below which the bonus acts"),
         &s.entropy_target);
  v.leaf(
      Key("top_entropy_quantile", "policy gradient only on this share of tokens, the least certain")
          .above(0)
          .at_most(1),
      &s.top_entropy_quantile);
}

}  // namespace

void describe(Visitor& v, ObjectiveConfig& s) {
  describe_advantage(v, s);
  describe_loss(v, s);
  describe_kl(v, s);
  describe_entropy(v, s);
  v.leaf(Key("mask_truncated_completions", "truncated ones stay in the baseline, not in the loss"),
         &s.mask_truncated_completions);
  v.leaf(
      Key("zero_variance_groups",
          "groups of equal rewards: train on, leave out, or draw others (DAPO's dynamic sampling)")
          .one_of({"keep", "drop", "refill"}),
      &s.zero_variance_groups);
  v.leaf(Key("max_resample_batches", "refill: draws of a step at most, in prompts_per_step")
             .at_least(1),
         &s.max_resample_batches);
  v.leaf(Key("num_iterations", "passes over a rollout (mu)").at_least(1), &s.num_iterations);
  v.leaf(Key("minibatches", "updates of a pass").at_least(1), &s.minibatches);
}

}  // namespace aha
