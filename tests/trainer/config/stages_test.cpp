#include "tests/support/catch.h"
#include "tests/trainer/config/support.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

const std::string kTwo =
    "output_dir: runs/x\n"
    "model: {init: {max_position_embeddings: 2048}}\n"
    "data: {train: {task: parity}, eval: {a: {task: parity, count: 4}}}\n"
    "reward: {functions: [{name: parity}]}\n"
    "optim: {learning_rate: 1.0e-3, weight_decay: 0.1}\n"
    "stages:\n"
    "- name: warm_start\n"
    "  method: sft\n"
    "  train: {per_device_train_batch_size: 4}\n"
    "- name: rl\n"
    "  method: grpo\n"
    "  optim: {learning_rate: 1.0e-4}\n"
    "  data: {eval: {a: {count: 5}, b: {task: parity, count: 6}}}\n";

std::vector<double> rates(const std::vector<std::string>& overrides) {
  std::vector<double> found;
  for (const auto& stage : parse_config(kTwo, "c.yaml", overrides).stages)
    found.push_back(stage.optim.learning_rate);
  return found;
}

}  // namespace

TEST_CASE("stages: without the list there is one, named grpo", "[config]") {
  const auto config = parse_config(kSound, "c.yaml");
  REQUIRE(config.stages.size() == 1);
  CHECK(config.stages[0].name == "grpo");
  CHECK(config.stages[0].method == "grpo");
  CHECK(
      parse_config(kSound, "c.yaml", {"stages.grpo.train.max_steps=3"}).stages[0].train.max_steps ==
      3);
}

TEST_CASE("stages: keys that a stage does not give are those of the base sections", "[config]") {
  const auto config = parse_config(kTwo, "c.yaml");
  REQUIRE(config.stages.size() == 2);
  CHECK(config.stages[0].method == "sft");
  CHECK(config.stages[1].optim.learning_rate == 1e-4);
  CHECK(config.stages[1].optim.weight_decay == 0.1);
  CHECK(config.stages[0].data.eval_order == std::vector<std::string>{"a"});
  CHECK(config.stages[1].data.eval_order == std::vector<std::string>{"a", "b"});
  CHECK(config.stages[1].data.eval.at("a").count == 5);
  CHECK(config.stages[1].data.eval.at("a").task == "parity");
}

TEST_CASE("--set: wins over the file, and of one stage over all stages, in any order", "[config]") {
  CHECK(rates({}) == std::vector<double>{1e-3, 1e-4});
  CHECK(rates({"optim.learning_rate=0.5"}) == std::vector<double>{0.5, 0.5});
  CHECK(rates({"stages.rl.optim.learning_rate=0.25"}) == std::vector<double>{1e-3, 0.25});
  CHECK(rates({"stages.rl.optim.learning_rate=0.25", "optim.learning_rate=0.5"}) ==
        std::vector<double>{0.5, 0.25});
  CHECK(rates({"optim.learning_rate=0.5", "optim.learning_rate=0.75"}) ==
        std::vector<double>{0.75, 0.75});
}

TEST_CASE("--set: takes YAML, and whole sections", "[config]") {
  const auto config =
      parse_config(kTwo, "c.yaml",
                   {"seed=7", "rollout={top_k: 3, stop_strings: [a, b]}", "objective.delta=null",
                    "data.eval.a.count=9", "log.reflection_words=[hm]"});
  CHECK(config.seed == 7);
  CHECK(config.stages[1].rollout.top_k == 3);
  CHECK(config.stages[1].rollout.stop_strings.size() == 2);
  CHECK(config.stages[0].data.eval.at("a").count == 9);
  CHECK(config.stages[1].data.eval.at("a").count == 9);
  CHECK(config.stages[1].log.reflection_words == std::vector<std::string>{"hm"});
}

TEST_CASE("--set: mistakes name the override", "[config]") {
  CHECK(error_of(kTwo, {"optim.learning_rate"}) ==
        "--set optim.learning_rate: expected KEY=VALUE, such as optim.learning_rate=1e-5");
  CHECK(error_of(kTwo, {"optim..x=1"}) ==
        "--set optim..x=1: expected KEY=VALUE, such as optim.learning_rate=1e-5");
  CHECK(error_of(kTwo, {"optim.lerning_rate=1"}) ==
        "--set optim.lerning_rate=1: unknown key 'lerning_rate' in optim, the nearest is "
        "'learning_rate'");
  CHECK(
      error_of(kTwo, {"optim.learning_rate=fast"}) ==
      "--set optim.learning_rate=fast: optim.learning_rate: expected a number from 0, not 'fast'");
  CHECK(error_of(kTwo, {"stages.warm.seed=1"}) ==
        "--set stages.warm.seed=1: no stage is named 'warm'; there is warm_start and rl");
  CHECK(
      error_of(kTwo, {"stages.warmstart.seed=1"}) ==
      "--set stages.warmstart.seed=1: no stage is named 'warmstart', the nearest is 'warm_start'");
  CHECK(error_of(kTwo, {"stages=[]"}) ==
        "--set stages=[]: expected a key of a stage, as in stages.NAME.train.max_steps=10");
  CHECK(error_of(kTwo, {"rollout.num_generations=1"}) ==
        "--set rollout.num_generations=1: rollout.num_generations: 1 completion has no group to be "
        "compared with, as "
        "objective.advantage_estimator group_norm does; use 2 or more, or reinforce_pp");
  CHECK(error_of(kTwo, {"seed=[1"}).find("--set seed=[1: this is no YAML") == 0);
}

TEST_CASE("a source: a file in a later layer takes the place of a task, with its options",
          "[config]") {
  const auto config = parse_config(
      kTwo, "c.yaml",
      {"data.train={path: d.jsonl}", "model.tokenizer=tok", "data.eval.a.path=e.jsonl"});
  for (const auto& stage : config.stages) {
    CHECK(stage.data.train.path == "d.jsonl");
    CHECK(stage.data.train.task.empty());
    CHECK(stage.data.eval.at("a").path == "e.jsonl");
    CHECK(stage.data.eval.at("a").task.empty());
  }
  const auto trained = parse_config(kTwo, "c.yaml", {"model.path=somewhere"});
  CHECK_FALSE(trained.stages[0].model.init.has_value());
}

TEST_CASE("stages: mistakes in the list are placed", "[config]") {
  CHECK(
      error_after("stages: {}\n") ==
      "c.yaml:7:1: stages: expected a list of at least one {name, method, ...}, not a map of keys");
  CHECK(
      error_after("stages: []\n") ==
      "c.yaml:7:1: stages: expected a list of at least one {name, method, ...}, not an empty one");
  CHECK(error_after("stages: [3]\n") ==
        "c.yaml:7:10: stages: expected a map {name, method, ...}, not '3'");
  CHECK(error_after("stages:\n- {name: a, method: grpo}\n- {name: a, method: grpo}\n") ==
        "c.yaml:9:4: name: a stage is named 'a' already; names are unique");
  CHECK(error_after("stages:\n- {method: grpo}\n") ==
        "c.yaml:8:3: a stage without a name; give it one, such as name: warm_start");
  CHECK(error_after("stages:\n- {name: a}\n") ==
        "c.yaml:8:3: a stage without a method; give it one, sft or grpo");
  CHECK(error_after("stages:\n- {name: a.b, method: grpo}\n") ==
        "c.yaml:8:4: name: 'a.b' is no name for a stage; use letters, digits, _ and -");
  CHECK(error_after("stages:\n- {name: a, method: ppo}\n") ==
        "c.yaml:8:21: method: expected one of sft and grpo, not 'ppo'; the nearest is 'grpo'");
  CHECK(error_after("stages:\n- {name: a, method: grpo, seed: 3}\n") ==
        "c.yaml:8:27: unknown key 'seed'; there is seed at the top level");
}

TEST_CASE("a rule broken by a stage's key: the place is the stage's", "[config]") {
  CHECK(error_after("stages:\n- name: a\n  method: grpo\n  rollout:\n    num_generations: 1\n"
                    "- {name: b, method: grpo}\n") ==
        "c.yaml:11:5: rollout.num_generations: 1 completion has no group to be compared with, as "
        "objective.advantage_estimator group_norm does; use 2 or more, or reinforce_pp");
}
