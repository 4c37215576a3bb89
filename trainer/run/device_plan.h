#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "trainer/run/memory_plan.h"

namespace aha {

/// What a stage holds in a GPU's memory at its largest, by purpose: what plan_memory is for the host. Copies for
/// checkpoints and for steps that are refused are the host's.
MemoryPlan plan_device_memory(const StageConfig& stage, const ModelConfig& model,
                              const MemoryInputs& inputs);

/// Prompts that are sampled in one rollout, and completions of each.
struct Sampling {
  std::int64_t prompts = 0;
  std::int64_t samples = 0;
};
/// Those of a stage: of its steps, and of its evaluations where the largest set has so many prompts.
std::vector<Sampling> samplings(const StageConfig& stage, std::int64_t eval_prompts);

/// The largest micro-batch that a stage comes to.
struct MicroSize {
  std::int64_t rows = 0;
  std::int64_t tokens = 0;  ///< predicted
  std::int64_t blocks = 0;  ///< of keys and values
};
MicroSize largest_micro_batch(const StageConfig& stage, const ModelConfig& model,
                              const MemoryInputs& inputs);

/// A GPU and its memory, as DeviceState has it.
struct DeviceRoom {
  std::string name;
  std::int64_t free = 0;
  std::int64_t total = 0;
  std::int64_t held_before = 0;
};

/// The settings with which the stage fits in what is `free`, those that take least time; empty: it does so as it is, or with
/// none.
std::string lighter_settings(const StageConfig& stage, const ModelConfig& model,
                             const MemoryInputs& inputs, std::int64_t free);

/// UserError when it is more than a device has free: with the settings that take less of what is largest, those that
/// would do (`lighter`), and what others hold. `in_units`: micro-batches are units of train.strict_chunk completions,
/// whatever train.max_tokens_per_micro_batch says.
void require_device_memory(const std::string& stage, const MemoryPlan& plan,
                           const DeviceRoom& device, std::string_view lighter = {},
                           bool in_units = false);

}  // namespace aha
