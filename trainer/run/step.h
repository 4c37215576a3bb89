#pragma once
#include <functional>
#include <optional>
#include <vector>

#include "trainer/metrics/reflection.h"
#include "trainer/metrics/step_metrics.h"
#include "trainer/run/collect.h"

namespace aha {

/// What a step leaves behind for the journal.
struct StepResult {
  std::vector<Group> groups;                   ///< scored, in ordinal order
  std::vector<std::vector<float>> advantages;  ///< [P][G]
};

/// One GRPO step: draw prompts, sample and score groups, advantages, num_iterations x minibatches
/// optimizer updates, and the step's metrics into `row`. Nothing when `cancelled` said so before the first
/// update: the stage is then as it was. NotFinite when a loss or gradient is not finite.
std::optional<StepResult> grpo_step(Stage& stage, MetricsRow& row, const ReflectionWords& words,
                                    const std::function<bool()>& cancelled);

/// The rest of it, on groups that are sampled and scored, wherever that was.
StepResult train_on(Stage& stage, Collected collected, MetricsRow& row,
                    const ReflectionWords& words);

}  // namespace aha
