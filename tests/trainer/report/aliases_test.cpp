#include "trainer/report/aliases.h"

#include <string>

#include "tests/support/catch.h"

using namespace aha;

TEST_CASE("verl_alias: what means the same has our name, what does not keeps its own", "[report]") {
  CHECK(verl_alias("critic/score/mean") == "reward");
  CHECK(verl_alias("actor/entropy") == "entropy");
  CHECK(verl_alias("actor/kl_loss") == "kl");
  CHECK(verl_alias("response_length/mean") == "completions/mean_length");
  CHECK(verl_alias("response_length/clip_ratio") == "completions/clipped_ratio");
  CHECK(verl_alias("timing_s/gen") == "timing_s/rollout");
  CHECK(verl_alias("actor/loss") == "loss");
  CHECK(verl_alias("val-core/math/acc/mean@8") == "eval_accuracy");
  CHECK(verl_alias("val-core/openai/gsm8k/reward/mean@1") == "eval_reward");
  // drawn with replacement
  CHECK_FALSE(verl_alias("val-core/openai/gsm8k/acc/best@8/mean"));
  CHECK_FALSE(verl_alias("val-core/openai/gsm8k/acc/maj@8/mean"));
  // of one GPU
  CHECK_FALSE(verl_alias("perf/throughput"));
  CHECK_FALSE(verl_alias("val-core/mean@8"));
  // probabilities, where our mismatch is of log-probabilities
  CHECK_FALSE(verl_alias("training/rollout_probs_diff_mean"));
  CHECK_FALSE(verl_alias("val-aux/openai/gsm8k/reward/mean@1"));
  CHECK_FALSE(verl_alias("val-core/openai/gsm8k/reward/best@8/std"));
}

TEST_CASE("trl_alias: TRL's own accuracy reward is accuracy, others may have any scale",
          "[report]") {
  CHECK(trl_alias("rewards/accuracy_reward/mean") == "accuracy");
  CHECK(trl_alias("eval_rewards/accuracy_reward/mean") == "eval_accuracy");
  for (const char* name : {"correctness_reward_func", "incorrect_penalty", "format_accuracy",
                           "reasoning_accuracy_reward"}) {
    INFO(name);
    CHECK_FALSE(trl_alias("rewards/" + std::string(name) + "/mean"));
    CHECK_FALSE(trl_alias("eval_rewards/" + std::string(name) + "/mean"));
  }
  CHECK_FALSE(trl_alias("rewards/think_format_reward/mean"));
  CHECK_FALSE(trl_alias("rewards/accuracy_reward/std"));
  CHECK(trl_alias("eval_runtime") == "timing_s/eval");
  CHECK_FALSE(trl_alias("reward"));
  CHECK_FALSE(trl_alias("rewards/mean"));
}
