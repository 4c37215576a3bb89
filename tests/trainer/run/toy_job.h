#pragma once
#include <fstream>
#include <memory>
#include <string>

#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"
#include "trainer/config/load.h"
#include "trainer/run/stage.h"

namespace aha_test {

/// Settings for heads of 64 in bf16, which is what a device has tensor cores' attention for.
inline const std::vector<std::string> kWide = {"model.storage=bf16", "model.init.hidden_size=128",
                                               "model.init.num_attention_heads=2",
                                               "model.init.num_key_value_heads=1"};

/// A stage of GRPO on a toy task with random weights, ready to step.
struct ToyJob {
  /// `more`: settings as of --set; `yaml`: more lines of the file.
  explicit ToyJob(const std::vector<std::string>& more = {}, int threads = 2,
                  const std::string& yaml = "", const aha::Ops& ops = aha::cpu_ops())
      : config(aha::parse_config(text() + yaml, "toy.yaml", more)),
        machine(threads, ops, config.strict),
        policy(aha::make_policy(config, machine)),
        stage(aha::make_stage(config, 0, machine, policy, comm)) {}
  /// One rank of several.
  ToyJob(const std::vector<std::string>& more, aha::Communicator& ranks)
      : config(aha::parse_config(text(), "toy.yaml", more)),
        machine(1),
        policy(aha::make_policy(config, machine, &ranks)),
        stage(aha::make_stage(config, 0, machine, policy, ranks)) {}

  static std::string text() {
    return R"(seed: 5
output_dir: unused
model:
  init: {hidden_size: 48, num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2, intermediate_size: 80, max_position_embeddings: 64, initializer_range: 0.2}
data:
  max_prompt_length: 8
  train: {task: countdown_wait}
  eval:
    held_out: {task: countdown_wait, count: 12}
rollout: {num_generations: 6, max_completion_length: 40}
reward:
  functions:
    - {name: countdown_wait}
    - {name: length, weight: 0.5}
train: {max_steps: 3, prompts_per_step: 4}
optim: {learning_rate: 1.0e-3}
)";
  }

  aha::Config config;
  aha::Machine machine;
  aha::Policy policy;
  aha::Communicator comm;
  std::unique_ptr<aha::Stage> stage;
};

/// Settings of a toy job for rows of a file, a tokenizer of words, and rewards.
struct RowsOfAFile {
  RowsOfAFile(const std::string& rows, const std::string& prompt_template,
              const std::string& functions) {
    std::ofstream(folder / "rows.jsonl") << rows;
    std::ofstream(folder / "tokenizer.json")
        << R"({"model": {"type": "WordLevel", "unk_token": "?", "vocab": {"<eos>": 0, "?": 1}},
               "pre_tokenizer": {"type": "WhitespaceSplit"},
               "added_tokens": [{"id": 0, "content": "<eos>", "special": true}]})";
    settings = {"model.tokenizer=" + folder.path().string(),
                "data.train={path: " + (folder / "rows.jsonl").string() + "}",
                "data.prompt_template='" + prompt_template + "'", "data.max_prompt_length=20",
                "reward.functions=[" + functions + "]"};
  }
  TempFolder folder;
  std::vector<std::string> settings;
};

}  // namespace aha_test
