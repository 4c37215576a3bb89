#include "trainer/config/rules.h"

#include "tests/support/catch.h"
#include "tests/trainer/config/support.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

/// A small job with a new decoder, sound as it stands; each case breaks one thing.
const std::string kInit =
    "output_dir: runs/x\n"
    "model:\n"
    "  init: {hidden_size: 64, num_attention_heads: 4, max_position_embeddings: 48}\n"
    "data:\n"
    "  max_prompt_length: 17\n"
    "  train: {task: parity}\n"
    "  eval: {held_out: {task: parity, count: 8}}\n"
    "rollout: {max_completion_length: 19}\n"
    "reward: {functions: [{name: parity}]}\n";

struct Case {
  std::vector<std::string> overrides;
  std::string message;  ///< after the place
};

const std::vector<Case> kCases = {
    {{"output_dir=\"\""}, "output_dir: is missing; name the folder of the run, such as runs/first"},
    {{"device=cuda", "model.storage=fp16"},
     "model.storage: gradients of device cuda would be rounded to fp16 and vanish; bf16 would be "
     "right"},
    {{"model.init.num_key_value_heads=3"},
     "model.init.num_key_value_heads: 3 do not divide model.init.num_attention_heads 4"},
    {{"model.init.num_attention_heads=5"},
     "model.init.num_attention_heads: 5 do not divide model.init.hidden_size 64; change one, or "
     "give "
     "model.init.head_dim"},
    {{"model.init.head_dim=15"},
     "model.init.head_dim: heads are 15 wide; rotary positions need an even width"},
    {{"rollout.max_completion_length=32"},
     "rollout.max_completion_length: 32 after data.max_prompt_length 17 needs 49 positions; "
     "model.init.max_position_embeddings is 48"},
    {{"train.max_tokens_per_micro_batch=35"},
     "train.max_tokens_per_micro_batch: 35 does not hold one sequence of 36 tokens: "
     "data.max_prompt_length 17 + "
     "rollout.max_completion_length 19"},
    {{"train.prompts_per_step=9223372036854775807"},
     "train.prompts_per_step: 9223372036854775807 is more than the 1048576 that can be"},
    {{"train.max_steps=16777216"},
     "train.max_steps: 16777216 is more than the 16777215 that can be"},
    {{"log.prometheus=somewhere:9464"},
     "log.prometheus: 'somewhere:9464' is no port and no ADDRESS:PORT; 9464 or 0.0.0.0:9464 would "
     "be "
     "right"},
    {{"rollout.stop_strings=['']"},
     "rollout.stop_strings: holds an empty text, which ends everything"},
    {{"reward.functions=[]"}, "reward.functions: grpo needs a reward, such as [{name: numeric}]"},
    {{"reward.accuracy=partiy"},
     "reward.accuracy: 'partiy' is not among reward.functions (parity); the nearest is 'parity'"},
    {{"reward.functions=[{name: a, weight: 0}]"},
     "reward.functions: every weight is 0: there is nothing to learn"},
    {{"train.max_steps=0"},
     "train.max_steps: is 0, and so is train.num_train_epochs; give one of them"},
    {{"train.num_train_epochs=2"},
     "train.num_train_epochs: the rows of a task have no end, so there are no epochs; use "
     "train.max_steps, or give "
     "data.train.count"},
    {{"optim.warmup_steps=101", "optim.lr_scheduler_type=cosine"},
     "optim.warmup_steps: 101 do not fit into the 100 steps of the cosine schedule "
     "(train.max_steps)"},
    {{"eval.pass_at_k=[1, 4]"},
     "eval.pass_at_k: pass@4 needs 4 samples of a prompt; eval.num_generations is 1"},
    {{"checkpoint.best_metric=reward"},
     "checkpoint.best_metric: 'reward' is no metric of an evaluation, such as eval_accuracy"},
    {{"data.eval_fraction=0.1"},
     "data.eval_fraction: takes rows of a file away, and data.train.path is empty; give "
     "data.eval the same task"},
    {{"data.eval_fraction=0.1", "data.train.path=d", "model.tokenizer=t"},
     "data.eval_fraction: makes a set held_out, and data.eval.held_out is there already"},
    {{"objective.minibatches=17"},
     "objective.minibatches: 17 parts cannot be made of train.prompts_per_step 16"},
    {{"objective.sync_ref_model=true"},
     "objective.sync_ref_model: objective.beta 0 has no reference; give it a value above 0"},
    {{"objective.delta=1.1"},
     "objective.delta: 1.1 is not above 1 + objective.epsilon = 1.2; the published value is 4"},
    {{"objective.is_cap_low=5"}, "objective.is_cap_low: 5 is not below objective.is_cap_high 5"},
    {{"objective.importance_sampling_level=sequence", "objective.policy_loss=gmpo"},
     "objective.importance_sampling_level: sequence has no meaning for objective.policy_loss "
     "gmpo, which has no "
     "ratio of that kind; use token"},
    {{"objective={beta: 0.1, kl_in: reward, kl_estimator: k1, advantage_estimator: gdpo}"},
     "objective.kl_in: objective.advantage_estimator gdpo has no place for a KL in the reward; "
     "use loss"},
    {{"objective={beta: 0.1, kl_in: loss, preset: reinforce_pp}"},
     "objective.kl_in: objective.advantage_estimator reinforce_pp takes the KL from the reward; "
     "use reward"},
    {{"objective={beta: 0.1, kl_in: reward}"},
     "objective.kl_estimator: k3: objective.kl_in reward takes k1 from the reward; use k1"},
    {{"objective={beta: 0.1, preset: rloo, use_bias_correction_kl: true}"},
     "objective.use_bias_correction_kl: corrects a gradient that objective.kl_in reward does not "
     "have; use false, "
     "or loss"},
    {{"objective.entropy_coef_min=2"},
     "objective.entropy_coef_min: 2 is above objective.entropy_coef_max 1"},
    {{"objective={use_adaptive_entropy: true, entropy_coef: 1.5}"},
     "objective.entropy_coef: 1.5 is not between objective.entropy_coef_min 0 and "
     "objective.entropy_coef_max 1"},
    {{"objective.mask_truncated_completions=true", "rollout.ignore_eos=true"},
     "objective.mask_truncated_completions: rollout.ignore_eos truncates every completion, so "
     "nothing would be "
     "trained on"},
    {{"data.answer_field=\"\""}, "data.answer_field: is empty; name a field of the rows"},
    {{"data.system_prompt=be brief"},
     "data.system_prompt: is for data.prompt_template chat, not raw; leave it out"},
    {{"data.chat_template_kwargs.enable_thinking=false"},
     "data.chat_template_kwargs: is for data.prompt_template chat, not raw; leave it out"},
    {{"data.prompt_template=chat"},
     "data.prompt_template: chat is the template of a model's folder, and model.init has none; "
     "name "
     "model.tokenizer, a folder that has one"},
    {{"data={prompt_template: chat, chat_template_kwargs: {tokenize: true}}", "model.tokenizer=t"},
     "data.chat_template_kwargs: tokenize is no variable that can be set here"},
    {{"data.train.format=gsm8k"},
     "data.train.format: gsm8k is of a file, and data.train.task makes rows; leave it out"},
    {{"data.train.path='-'", "model.tokenizer=t"},
     "data.train.path: standard input can be read once only; name a file"},
};

}  // namespace

TEST_CASE("rules: each contradiction is one error that names its key", "[config]") {
  REQUIRE(error_of(kInit).empty());
  for (const auto& c : kCases) {
    CAPTURE(c.overrides[0]);
    const auto error = error_of(kInit, c.overrides);
    CHECK(error.find('\n') == std::string::npos);
    CHECK(error.size() > c.message.size() + 2);
    CHECK(error.substr(error.size() - std::min(error.size(), c.message.size() + 2)) ==
          ": " + c.message);
  }
}

TEST_CASE("rules: the place is the key's, or that of what is around it", "[config]") {
  CHECK(error_of(kInit + "objective:\n  minibatches: 17\n") ==
        "c.yaml:11:3: objective.minibatches: 17 parts cannot be made of train.prompts_per_step 16");
  CHECK(
      error_of(
          "model: {path: m}\ndata: {train: {path: d}}\nreward: {functions: [{name: numeric}]}\n") ==
      "c.yaml:1:1: output_dir: is missing; name the folder of the run, such as runs/first");
  CHECK(error_of("output_dir: o\nmodel: {path: m}\nreward: {functions: [{name: numeric}]}\n"
                 "data:\n  max_invalid: 3\n") ==
        "c.yaml:4:1: data.train: needs data.train.path, a JSONL file, or data.train.task, a "
        "generator");
}

TEST_CASE("model: exactly one of path and init, and only in the first stage", "[config]") {
  CHECK(error_of(
            "output_dir: o\ndata: {train: {path: d}}\nreward: {functions: [{name: numeric}]}\n") ==
        "c.yaml:1:1: model: needs model.path, a Hugging Face folder, or model.init, a new decoder");
  CHECK(error_of(kInit, {"model={path: m, init: {max_position_embeddings: 99}}"})
            .find("model.init: stands beside model.path; keep one of them") != std::string::npos);
  CHECK(
      error_of(kInit +
               "stages:\n- {name: a, method: grpo}\n- {name: b, method: grpo, model: {path: m}}\n")
          .find("c.yaml:12:35: model.path: a stage starts from the weights of the one before") ==
      0);
}

TEST_CASE("data: exactly one of path and task, and an end for evaluation", "[config]") {
  CHECK(error_of(kInit, {"data.train={path: d, task: parity}"}) ==
        "--set data.train={path: d, task: parity}: data.train.task: stands beside data.train.path; "
        "keep one of them");
  CHECK(error_of(kInit, {"data.eval.more.task=parity"})
            .find("data.eval.more: the rows of a task have no end; give it a data.eval.more.count, "
                  "such as 512") != std::string::npos);
  CHECK(
      error_after("", {"data.train.bits=3"})
          .find(
              "data.train: has options of a task, but data.train.path is a file; leave them out") !=
      std::string::npos);
  CHECK(error_of(kInit, {"data.train.path=d.jsonl"})
            .find("model.tokenizer: model.init brings no tokenizer") != std::string::npos);
}

TEST_CASE("sft: needs a batch size, and no rewards", "[config]") {
  const std::string sft =
      "output_dir: o\nmodel: {path: m}\ndata: {train: {path: d}}\nstages:\n- name: a\n  method: "
      "sft\n";
  CHECK(error_of(sft) ==
        "c.yaml:5:3: train.per_device_train_batch_size: sft needs the number of sequences of a "
        "step, such as 32");
  CHECK(error_of(sft, {"train.per_device_train_batch_size=8"}).empty());
}

TEST_CASE("a group of one: is right for reinforce_pp alone", "[config]") {
  for (const auto* estimator :
       {"group_norm", "rloo", "opo", "gdpo", "max_rl", "reinforce_pp_baseline"})
    CHECK(error_of(kInit, {"rollout.num_generations=1",
                           std::string("objective.advantage_estimator=") + estimator})
              .find("has no group to be compared with") != std::string::npos);
  CHECK(error_of(kInit, {"rollout.num_generations=1", "objective.preset=reinforce_pp"}).empty());
}

TEST_CASE("warnings: what is legal but likely not meant begins with its key", "[config]") {
  CHECK(config_warnings(parse_config(kInit, "c.yaml")).empty());
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"rollout.top_p=0.9", "rollout.top_p: 0.9: training sees"},
      {"rollout.top_k=5", "rollout.top_k: 5: training sees"},
      {"rollout.min_p=0.1", "rollout.min_p: 0.1: training sees"},
      {"objective.epsilon_high=0.1", "objective.epsilon_high: 0.1 is below objective.epsilon 0.2"},
      {"objective.importance_sampling_level=sequence",
       "objective.epsilon: 0.2 for ratios of sequences"},
      {"model.storage=bf16", "model.save_dtype: float32 with model.storage bf16: written weights"},
      {"optim.learning_rate=0", "optim.learning_rate: 0: nothing will be learned"},
      {"optim.warmup_steps=500", "optim.warmup_steps: 500 of 100 steps"},
      {"checkpoint.best_metric=eval_accuracy", "checkpoint.best_metric: with eval.eval_steps 0"},
  };
  for (const auto& [set, start] : expected) {
    CAPTURE(set);
    const auto lines = config_warnings(parse_config(kInit, "c.yaml", {set}));
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].substr(0, start.size()) == start);
  }
  const auto masked =
      config_warnings(parse_config(kInit, "c.yaml",
                                   {"objective.mask_truncated_completions=true",
                                    "reward.functions=[{name: parity}, {name: soft_overlong}]"}));
  REQUIRE(masked.size() == 1);
  CHECK(masked[0].find(
            "objective.mask_truncated_completions: truncated completions are not trained on") == 0);
}

TEST_CASE("warnings: a cache of soft_overlong beyond the limit that it has from the run",
          "[config]") {
  const auto warned = [](const std::string& function) {
    return config_warnings(parse_config(kInit, "c.yaml",
                                        {"rollout.max_completion_length=30",
                                         "reward.functions=[{name: parity}, " + function + "]"}));
  };
  for (const char* fine : {"{name: soft_overlong}", "{name: soft_overlong, cache: 30}",
                           "{name: soft_overlong, cache: 40, max: 50}", "{name: length, max: 40}"})
    CHECK(warned(fine).empty());
  const auto lines = warned("{name: soft_overlong, cache: 31}");
  REQUIRE(lines.size() == 1);
  CHECK(lines[0] ==
        "reward.functions.1.cache: 31 is beyond rollout.max_completion_length 30, so that every "
        "completion is punished for its length; less, such as 6, would be right");
  const auto trl = warned("{name: trl.soft_overlong_punishment, soft_punish_cache: 31}");
  REQUIRE(trl.size() == 1);
  CHECK(trl[0].starts_with("reward.functions.1.soft_punish_cache: 31 is beyond"));
}

TEST_CASE("the batch equation: prompts, generations, completions, updates", "[config]") {
  const auto line = [](const std::vector<std::string>& sets) {
    return batch_equation(parse_config(kInit, "c.yaml", sets).stages[0]);
  };
  CHECK(line({}) ==
        "16 prompts x 8 generations = 128 completions a step, 1 update of 128, micro-batches of at "
        "most 8,192 tokens");
  CHECK(line({"objective.minibatches=4", "objective.num_iterations=2",
              "train.per_device_train_batch_size=10"}) ==
        "16 prompts x 8 generations = 128 completions a step, 8 updates of 32 in at least 4 "
        "micro-batches, "
        "micro-batches of at most 8,192 tokens");
}
