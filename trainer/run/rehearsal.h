#pragma once
#include "trainer/run/stage.h"

namespace aha {

/// Takes a device through the largest rollout and the largest micro-batch that a stage comes to, of tokens that say nothing, before
/// its first step: what memory they need is taken once, kernels are loaded, and too little memory shows before any work is
/// lost. Of sft as the memory plan has it, in completions of rollout.max_completion_length. Nothing of the stage's state
/// changes. Does nothing where memory is the host's. Collective.
void rehearse(Stage& stage);

}  // namespace aha
