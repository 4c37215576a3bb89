#pragma once
#include <map>
#include <string>
#include <vector>

#include "tests/support/process.h"
#include "trainer/core/json.h"

namespace aha_test {

/// A parity job of two stages that takes about a second: warm start, then a few steps of GRPO with a
/// checkpoint after each.
inline std::string small_job(const std::filesystem::path& output_dir,
                             const std::string& more = "") {
  return "seed: 3\n"
         "output_dir: " +
         output_dir.string() + "\n" +
         R"(model:
  init: {hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 48, max_position_embeddings: 32, initializer_range: 0.05}
data:
  max_prompt_length: 9
  train: {task: parity, bits: 8, long_fraction: 0.5}
  eval:
    held_out: {task: parity, bits: 8, count: 16}
rollout: {num_generations: 4, max_completion_length: 11}
reward:
  functions:
    - {name: parity}
train: {threads: 2}
eval: {eval_steps: 2}
checkpoint: {save_steps: 1, save_total_limit: 3}
log: {completion_ids: true}
stages:
  - name: warm_start
    method: sft
    train: {max_steps: 4, per_device_train_batch_size: 8}
    optim: {learning_rate: 2.0e-3, warmup_steps: 2}
  - name: grpo
    method: grpo
    train: {max_steps: 5, prompts_per_step: 4}
    optim: {learning_rate: 1.0e-3}
)" + more;
}

/// Rows of metrics.jsonl without what may differ between equal runs.
inline std::vector<std::string> metrics_without_times(const std::filesystem::path& run) {
  std::ifstream file(run / "metrics.jsonl");
  std::vector<std::string> rows;
  for (std::string line; std::getline(file, line);) {
    const auto row = aha::OrderedJson::parse(line);
    aha::OrderedJson kept;
    for (const auto& [key, value] : row.items())
      if (key != "step_time" && key.rfind("timing_s/", 0) != 0 && key.rfind("perf/", 0) != 0)
        kept[key] = value;
    rows.push_back(kept.dump());
  }
  return rows;
}

/// Every file below `folder` by its relative path.
inline std::map<std::string, std::string> files_below(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file())
      files[std::filesystem::relative(entry.path(), folder).string()] = slurp(entry.path());
  return files;
}

/// What a command printed, a row a line.
inline std::vector<aha::Json> rows_of(const std::string& text) {
  std::vector<aha::Json> rows;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    rows.push_back(aha::Json::parse(line));
  return rows;
}

}  // namespace aha_test
