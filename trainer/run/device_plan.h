#pragma once
#include "trainer/kernels/device_ops.h"
#include "trainer/run/memory_plan.h"

namespace aha {

/// What a stage holds in a GPU's memory at its largest, by purpose: what plan_memory is for the host. Copies for
/// checkpoints and for steps that are refused are the host's.
MemoryPlan plan_device_memory(const StageConfig& stage, const ModelConfig& model,
                              const MemoryInputs& inputs);

/// UserError when it is more than a device has free: with the settings that take less of what is largest, whether
/// train.gradient_checkpointing would do (`fits_recomputed`), and what others hold. `in_units`: micro-batches are
/// units of train.strict_chunk completions, whatever train.max_tokens_per_micro_batch says.
void require_device_memory(const std::string& stage, const MemoryPlan& plan,
                           const DeviceState& device, bool fits_recomputed = false,
                           bool in_units = false);

}  // namespace aha
