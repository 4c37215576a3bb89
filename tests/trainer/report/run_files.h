#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "trainer/core/file.h"
#include "trainer/metrics/jsonl.h"

namespace aha_test {

inline aha::OrderedJson metrics_row(int step, double reward) {
  return {{"step", step},
          {"global_step", 100 + step},
          {"stage", "grpo"},
          {"reward", reward},
          {"completions/mean_length", 10.0 + step}};
}

inline aha::OrderedJson sampled(int step, int unit, bool held_out, bool right,
                                const std::string& text) {
  aha::OrderedJson row{{"step", step}, {"global_step", 100 + step}, {"stage", "grpo"}};
  row["ordinal"] = unit;
  row["row"] = unit;
  row["source"] = held_out ? "test" : "train";
  row["index"] = 0;
  row["prompt"] = "problem " + std::to_string(unit);
  row["completion"] = text;
  row["length"] = text.size();
  row["finish"] = "stop";
  row["rewards"] = {{"exact", right ? 1.0 : 0.0}};
  row["reward"] = right ? 1.0 : 0.0;
  row["accuracy"] = right ? 1.0 : 0.0;
  return row;
}

/// A folder as a run leaves it, with metrics of `steps` steps and these completions.
inline void write_run(const std::filesystem::path& folder, int steps,
                      const std::vector<aha::OrderedJson>& train,
                      const std::vector<aha::OrderedJson>& eval) {
  aha::make_folder(folder / "completions");
  aha::JsonlWriter metrics(folder / "metrics.jsonl");
  for (int step = 1; step <= steps; ++step)
    metrics.write(metrics_row(step, 0.1 * step));
  aha::JsonlWriter(folder / "completions/train.jsonl")
      .write(std::span<const aha::OrderedJson>(train));
  aha::JsonlWriter(folder / "completions/eval.jsonl")
      .write(std::span<const aha::OrderedJson>(eval));
}

}  // namespace aha_test
