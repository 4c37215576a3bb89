// What a preset stands for, against the papers and TRL 1.16's GRPOConfig and RLOOConfig.
#include "trainer/config/presets.h"

#include <map>

#include "tests/support/catch.h"
#include "tests/trainer/config/support.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

struct Published {
  std::string estimator, scale, loss, level, kl, kl_in, aggregation;
  double epsilon = 0.2;
  double epsilon_high = 0.2;
};

const std::map<std::string, Published>& published() {
  static const std::map<std::string, Published> table = {
      // DeepSeekMath (arXiv 2402.03300) eq. 3; TRL loss_type grpo, scale_rewards group, k3 in the loss
      {"grpo", {"group_norm", "group", "clip", "token", "k3", "loss", "seq-mean-token-mean"}},
      // Dr. GRPO (2503.20783) section 3.2: no std, no length; TRL: sum / (B * max_completion_length)
      {"dr_grpo", {"group_norm", "none", "clip", "token", "k3", "loss", "seq-mean-token-sum-norm"}},
      // DAPO (2503.14476) sections 3.1 and 3.3: eps 0.2 and 0.28, mean over all tokens
      {"dapo", {"group_norm", "group", "clip", "token", "k3", "loss", "token-mean", 0.2, 0.28}},
      // TRL loss_type bnpo: mean over tokens
      {"bnpo", {"group_norm", "group", "clip", "token", "k3", "loss", "token-mean"}},
      // GSPO (2507.18071) section 5.1: 3e-4 and 4e-4 on the sequence's ratio
      {"gspo",
       {"group_norm", "group", "clip", "sequence", "k3", "loss", "seq-mean-token-mean", 3e-4,
        4e-4}},
      // CISPO (2506.13585) eq. 4
      {"cispo", {"group_norm", "group", "cispo", "token", "k3", "loss", "token-mean"}},
      // RLOO (2402.14740) eq. 6, TRL's RLOOTrainer: KL in the reward, no scaling, the sequence's ratio
      {"rloo", {"rloo", "none", "clip", "sequence_sum", "k1", "reward", "seq-mean-token-mean"}},
      // REINFORCE++ (2501.03262): k1 in the token rewards, whitened over the batch
      {"reinforce_pp", {"reinforce_pp", "batch", "clip", "token", "k1", "reward", "token-mean"}},
  };
  return table;
}

ObjectiveConfig objective_of(const std::string& text) {
  return parse_config(kSound + "objective: {" + text + "}\n", "c.yaml").stages.at(0).objective;
}

}  // namespace

TEST_CASE("presets: fill in the published recipes", "[config]") {
  CHECK(preset_names().size() == published().size());
  for (const auto& name : preset_names()) {
    CAPTURE(name);
    const auto& want = published().at(name);
    const auto o = objective_of("preset: " + name);
    CHECK(o.advantage_estimator == want.estimator);
    CHECK(o.scale_rewards == want.scale);
    CHECK(o.policy_loss == want.loss);
    CHECK(o.importance_sampling_level == want.level);
    CHECK(o.kl_estimator == want.kl);
    CHECK(o.kl_in == want.kl_in);
    CHECK(o.aggregation == want.aggregation);
    CHECK(o.epsilon == want.epsilon);
    CHECK(o.epsilon_high.value_or(o.epsilon) == want.epsilon_high);
    CHECK(o.beta == 0.0);
    // TRL: std + 1e-4 with Bessel's correction
    CHECK(o.std_ddof == 1);
    CHECK(o.std_epsilon == 1e-4);
  }
  // ScaleRL's cap, TRL's epsilon_high of loss_type cispo
  CHECK(objective_of("preset: cispo").is_cap_high == 5.0);
  CHECK(objective_of("preset: cispo").is_cap_low == 0.0);
}

TEST_CASE("presets: keys that are given win, before or after the preset", "[config]") {
  for (const auto* text : {"preset: dapo, aggregation: seq-mean-token-sum, epsilon_high: 0.3",
                           "epsilon_high: 0.3, aggregation: seq-mean-token-sum, preset: dapo"}) {
    const auto o = objective_of(text);
    CHECK(o.aggregation == "seq-mean-token-sum");
    CHECK(o.epsilon_high.value() == 0.3);
  }
  CHECK_FALSE(objective_of("preset: dapo, epsilon_high: null").epsilon_high.has_value());
  // a key's default given by hand is given all the same
  CHECK(objective_of("preset: dr_grpo, scale_rewards: group").scale_rewards == "group");
}

TEST_CASE("presets: keys of the base section win over a stage's preset", "[config]") {
  const auto config = parse_config(kSound +
                                       "objective: {epsilon: 0.1}\nstages:\n"
                                       "- {name: a, method: grpo, objective: {preset: gspo}}\n",
                                   "c.yaml");
  CHECK(config.stages[0].objective.epsilon == 0.1);
  CHECK(config.stages[0].objective.epsilon_high.value() == 4e-4);
}

TEST_CASE("loss_type: is TRL's spelling of preset", "[config]") {
  CHECK(objective_of("loss_type: dapo").preset == "dapo");
  CHECK(objective_of("loss_type: dapo").epsilon_high.value() == 0.28);
  CHECK(objective_of("loss_type: dapo, preset: dapo").preset == "dapo");
  CHECK(error_after("objective: {loss_type: dapo, preset: grpo}\n") ==
        "c.yaml:7:13: loss_type 'dapo' contradicts preset 'grpo'; give one of them");
  CHECK(error_after("objective: {loss_type: drgrpo}\n").find("the nearest is 'dr_grpo'") !=
        std::string::npos);
  const auto config =
      parse_config(kSound + "objective: {preset: grpo}\n", "c.yaml", {"objective.loss_type=dapo"});
  CHECK(config.stages[0].objective.preset == "dapo");
}
