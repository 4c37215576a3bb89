#pragma once
// Decode steps that are recorded: what the device's other calls know of them.
#include "trainer/kernels/cuda/scratch_blocks.h"

namespace aha::cuda {

/// Whether a step is prepared or recorded.
bool is_preparing();
/// What it works in then, which is kept with it.
ScratchBlocks& recorded_scratch();

}  // namespace aha::cuda
