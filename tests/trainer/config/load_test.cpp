#include "trainer/config/load.h"

#include <fmt/format.h>

#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"
#include "tests/trainer/config/support.h"
#include "trainer/core/file.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

TEST_CASE("reading: values of each type arrive in their members", "[config]") {
  const auto config = parse_config(
      "seed: 18446744073709551615\noutput_dir: 'runs/a b'\nstrict: True\nmodel: {init: "
      "{hidden_size: 64, "
      "num_attention_heads: 4, max_position_embeddings: 2048}}\n"
      "data:\n  train: {task: parity, bits: 8, long_fraction: 0.25}\n"
      "rollout: {stop_strings: [\"</answer>\", 'x: y'], stop_token_ids: [3, 5], temperature: "
      "7e-1}\n"
      "objective: {epsilon_high: 0.28, delta: ~}\n"
      "reward:\n  functions:\n  - {name: parity, weight: 2}\n  - {name: length, max: 12, sources: "
      "[a]}\n",
      "c.yaml");
  CHECK(config.seed == 18446744073709551615U);
  CHECK(config.output_dir == "runs/a b");
  CHECK(config.strict);
  const auto& stage = config.stages.at(0);
  CHECK(stage.model.init->hidden_size == 64);
  CHECK(stage.data.train.task_options.bits == 8);
  CHECK(stage.data.train.task_options.long_fraction == 0.25);
  CHECK(stage.rollout.stop_strings == std::vector<std::string>{"</answer>", "x: y"});
  CHECK(stage.rollout.stop_token_ids == std::vector<std::int64_t>{3, 5});
  CHECK(stage.rollout.temperature == 0.7);
  CHECK(stage.objective.epsilon_high.value() == 0.28);
  CHECK_FALSE(stage.objective.delta.has_value());
  CHECK(stage.reward.functions.at(0).weight == 2.0);
  CHECK(stage.reward.functions.at(1).options == std::map<std::string, std::string>{{"max", "12"}});
  CHECK(stage.reward.functions.at(1).sources == std::vector<std::string>{"a"});
}

TEST_CASE("reading: evaluation sets keep the order of the file", "[config]") {
  const auto config = parse_config(
      "output_dir: o\nmodel: {path: m}\ndata:\n  train: {path: t}\n  eval: {zeta: {path: z}, "
      "alpha: {path: a}}\n"
      "reward: {functions: [{name: numeric}]}\n",
      "c.yaml");
  CHECK(config.stages[0].data.eval_order == std::vector<std::string>{"zeta", "alpha"});
  CHECK(config.stages[0].data.eval.at("alpha").path == "a");
}

TEST_CASE("an unknown key: the place and the nearest known key are named", "[config]") {
  CHECK(error_after("rollout:\n  temprature: 1\n") ==
        "c.yaml:8:3: unknown key 'temprature' in rollout, the nearest is 'temperature'");
  CHECK(error_after("roll_out: {}\n") ==
        "c.yaml:7:1: unknown key 'roll_out', the nearest is 'rollout'");
  CHECK(error_after("num_generations: 8\n") ==
        "c.yaml:7:1: unknown key 'num_generations'; there is rollout.num_generations and "
        "eval.num_generations");
  CHECK(error_after("comm: {qqqqqq: 8}\n") ==
        "c.yaml:7:8: unknown key 'qqqqqq' in comm; known are timeout_s, heartbeat_s and read_memory");
}

TEST_CASE("a repeated key: both places are named", "[config]") {
  CHECK(error_after("seed: 1\nseed: 2\n") ==
        "c.yaml:8:1: the key 'seed' is repeated, it stands in line 7 already; keep one");
  CHECK(error_after("train:\n  threads: 1\n  threads: 1\n") ==
        "c.yaml:9:3: the key 'threads' is repeated, it stands in line 8 already; keep one");
}

TEST_CASE("an ill-typed value: what was expected and what stands there", "[config]") {
  CHECK(error_after("seed: x\n") ==
        "c.yaml:7:7: seed: expected a whole number from 0 to 18446744073709551615, not 'x'");
  CHECK(error_after("seed: -1\n") ==
        "c.yaml:7:7: seed: expected a whole number from 0 to 18446744073709551615, not '-1'");
  CHECK(error_after("train: {max_steps: \"8\"}\n") ==
        "c.yaml:7:20: train.max_steps: expected a whole number from 0, not the text \"8\"");
  CHECK(error_after("train: {max_steps: 8.5}\n") ==
        "c.yaml:7:20: train.max_steps: expected a whole number from 0, not '8.5'");
  CHECK(error_after("train: {max_steps: 9223372036854775808}\n") ==
        "c.yaml:7:20: train.max_steps: expected a whole number from 0, not '9223372036854775808'");
  CHECK(error_after("strict: yes\n") == "c.yaml:7:9: strict: expected true or false, not 'yes'");
  CHECK(error_after("strict:\n") == "c.yaml:7:1: strict: expected true or false, not nothing");
  CHECK(error_after("rollout: {stop_strings: x}\n") ==
        "c.yaml:7:25: rollout.stop_strings: expected a list of texts, as in [a, b], not 'x'");
  CHECK(error_after("rollout: 3\n") == "c.yaml:7:10: rollout: expected a map of keys, not '3'");
  CHECK(error_after("optim: {learning_rate: .inf}\n") ==
        "c.yaml:7:24: optim.learning_rate: expected a number from 0, not '.inf'");
  CHECK(error_after("optim: {learning_rate: 1e400}\n") ==
        "c.yaml:7:24: optim.learning_rate: expected a number from 0, not '1e400'");
  CHECK(error_after("optim: {learning_rate: [1]}\n") ==
        "c.yaml:7:24: optim.learning_rate: expected a number from 0, not a list");
}

TEST_CASE("a value out of range: the range is named", "[config]") {
  CHECK(error_after("rollout: {top_p: 0}\n") ==
        "c.yaml:7:18: rollout.top_p: expected a number above 0 to 1, not '0'");
  CHECK(error_after("rollout: {top_p: 1.5}\n") ==
        "c.yaml:7:18: rollout.top_p: expected a number above 0 to 1, not '1.5'");
  CHECK(error_after("rollout: {temperature: 0}\n") ==
        "c.yaml:7:24: rollout.temperature: expected a number above 0, not '0'");
  CHECK(error_after("train: {strict_chunk: 0}\n") ==
        "c.yaml:7:23: train.strict_chunk: expected a whole number from 1, not '0'");
  CHECK(error_after("optim: {adam_beta1: 1}\n") ==
        "c.yaml:7:21: optim.adam_beta1: expected a number from 0 to below 1, not '1'");
  CHECK(error_after("eval: {pass_at_k: [1, 0]}\n") ==
        "c.yaml:7:19: eval.pass_at_k: expected a list of whole numbers, as in [1, 2] from 1, not a "
        "list");
  CHECK(error_after("optim: {lr_scheduler_type: cosin}\n") ==
        "c.yaml:7:28: optim.lr_scheduler_type: expected one of constant, linear and cosine, not "
        "'cosin'; "
        "the nearest is 'cosine'");
}

TEST_CASE("rewards: each mistake in the list is placed", "[config]") {
  const std::string head = "output_dir: o\nmodel: {path: m}\ndata: {train: {path: d}}\n";
  CHECK(error_of(head + "reward: {functions: {name: x}}\n") ==
        "c.yaml:4:21: reward.functions: expected a list of rewards, as in [{name: numeric}], not a "
        "map of keys");
  CHECK(error_of(head + "reward: {functions: [numeric]}\n") ==
        "c.yaml:4:22: reward.functions: expected a map, as in {name: numeric}, not 'numeric'");
  CHECK(error_of(head + "reward: {functions: [{name: numeric, max: [1]}]}\n") ==
        "c.yaml:4:43: reward.functions.0.max: an option of a reward is one value, not a list");
  CHECK(error_of(head + "reward: {functions: [{name: command, command: {a: b}}]}\n") ==
        "c.yaml:4:47: reward.functions.0.command: expected words, as in [python3, scorer.py], not a "
        "map of keys");
  CHECK(error_of(head + "reward: {max_unjudged: 2, functions: [{name: x}]}\n") ==
        "c.yaml:4:24: reward.max_unjudged: expected a number from 0 to 1, not '2'");
  CHECK(error_of(head + "reward: {functions: [{weight: 2}]}\n") ==
        "c.yaml:4:22: reward.functions.0: has no name; aha score --help lists the rewards");
}

TEST_CASE("rewards: --set changes one by its name or number", "[config]") {
  const std::string text =
      "output_dir: o\nmodel: {path: m}\ndata: {train: {path: d}}\n"
      "reward: {functions: [{name: numeric}, {name: length, max: 9}, {name: length, max: 8}]}\n";
  const auto functions = parse_config(text, "c.yaml",
                                      {"reward.functions.numeric.weight=2",
                                       "reward.functions.2.max=7", "reward.functions.2.weight=0.5"})
                             .stages.at(0)
                             .reward.functions;
  REQUIRE(functions.size() == 3);
  CHECK(functions[0].weight == 2.0);
  CHECK(functions[1].options.at("max") == "9");
  CHECK(functions[2].options.at("max") == "7");
  CHECK(functions[2].weight == 0.5);
  CHECK(error_of(text, {"reward.functions.lenght.max=7"}) ==
        "--set reward.functions.lenght.max=7: reward.functions: no reward has the name or number "
        "'lenght'; there is numeric, length and length");
  CHECK(error_of(text, {"reward.functions.length.max=7"}) ==
        "--set reward.functions.length.max=7: reward.functions: 2 rewards have the name 'length'; "
        "give the number, from 0");
  CHECK(error_of(text, {"reward.functions.0=7"}) ==
        "--set reward.functions.0=7: reward.functions: expected a map, as in {name: numeric}, not "
        "'7'");
}

TEST_CASE("broken YAML: the parser's place is given", "[config]") {
  CHECK(error_of("a: [1, 2\n").substr(0, 33) == "c.yaml:2:1: this is no YAML: end ");
  CHECK(error_of("a: b: c\n") == "c.yaml:1:5: this is no YAML: illegal map value");
  CHECK(error_of("- 1\n") == "c.yaml:1:1: expected a map of keys, not a list");
  CHECK(error_of("a: 1\n---\nb: 1\n").find("a second document") != std::string::npos);
  CHECK(error_of("seed: !!int 3\n") ==
        "c.yaml:1:7: the tag tag:yaml.org,2002:int has no meaning here; leave it out");
}

TEST_CASE("hostile YAML: depth, size and aliases are bounded", "[config]") {
  CHECK(error_of(std::string(100000, '[')).find("more than 32 levels") != std::string::npos);
  CHECK(error_of(std::string(100000, '{')).find("more than 32 levels") != std::string::npos);
  CHECK(error_of("a: " + std::string(std::size_t{1} << 20, 'x')) ==
        "c.yaml:1:1: larger than 1 MiB; a configuration is a page or two");
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 30; ++i) {
    const auto below = fmt::format("*a{}", i - 1);
    bomb += fmt::format("a{0}: &a{0} [{1}", i, below);
    for (int k = 0; k < 9; ++k)
      bomb += ", " + below;
    bomb += "]\n";
  }
  CHECK(error_of(bomb).find("more than 100,000 values") != std::string::npos);
  CHECK(error_of("a: &a [*a]\n").find("an alias to a value that it is part of") !=
        std::string::npos);
}

TEST_CASE("an alias: stands for its value", "[config]") {
  const auto config = parse_config(kSound +
                                       "train: &t {max_steps: 7}\nstages:\n"
                                       "- {name: a, method: grpo, train: *t}\n",
                                   "c.yaml");
  CHECK(config.stages[0].train.max_steps == 7);
}

TEST_CASE("independent mistakes: all are reported at once, in the order of the file", "[config]") {
  CHECK(error_after(
            "strict: 3\ndevice: tpu\nrollout:\n  top_p: 2\n  num_generations: 1\n  tpo_k: 2\n",
            {"eval.greedy=perhaps", "seeed=1"}) ==
        "c.yaml:7:9: strict: expected true or false, not '3'\n"
        "c.yaml:8:9: device: expected one of auto, cpu and cuda, not 'tpu'; the "
        "nearest is 'cpu'\n"
        "c.yaml:10:10: rollout.top_p: expected a number above 0 to 1, not '2'\n"
        "c.yaml:11:3: rollout.num_generations: 1 completion has no group to be compared with, as "
        "objective.advantage_estimator group_norm does; use 2 or more, or reinforce_pp\n"
        "c.yaml:12:3: unknown key 'tpo_k' in rollout, the nearest is 'top_k'\n"
        "--set eval.greedy=perhaps: eval.greedy: expected true or false, not 'perhaps'\n"
        "--set seeed=1: unknown key 'seeed', the nearest is 'seed'");
}

TEST_CASE("a key that was not understood: rules about it are silent", "[config]") {
  CHECK(error_of("outputdir: x\nmodel: {path: m}\ndata: {train: {path: d}}\n"
                 "reward: {functions: [{name: numeric}]}\n") ==
        "c.yaml:1:1: unknown key 'outputdir', the nearest is 'output_dir'");
}

TEST_CASE("load_config: reads a file and names it in errors", "[config]") {
  const TempFolder folder;
  const auto path = folder / "job.yaml";
  write_file_atomic(path, kSound);
  CHECK(load_config(path).output_dir == "runs/x");
  write_file_atomic(path, kSound + "sed: 1\n");
  CHECK_THROWS_WITH(load_config(path),
                    path.string() + ":7:1: unknown key 'sed', the nearest is 'seed'");
  CHECK_THROWS_AS(load_config(folder / "absent.yaml"), UserError);
}

TEST_CASE("the shipped configurations: all are read", "[config]") {
  int count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(AHA_SOURCE_DIR) / "configs")) {
    if (entry.path().extension() != ".yaml") continue;
    CHECK_NOTHROW(load_config(entry.path()));
    ++count;
  }
  CHECK(count >= 2);
}
