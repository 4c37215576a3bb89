#pragma once
#include <string>

#include "trainer/model/model_config.h"
#include "trainer/run/cost_model.h"
#include "trainer/run/memory_plan.h"

namespace aha {

/// Memory of one rank of a cluster of GPUs, by purpose, in bytes. N ranks, p parameters of w bytes each:
///
///   program      libraries, context, communicators
///   weights      w p; with Zero::Weights w p / N and two blocks with the edges, which are in use
///   values       4 p / N behind 16-bit weights
///   gradients    4 p; / N from Zero::Gradients on, with two blocks on their way; three times that in strict mode
///   moments      8 p / N
///   reference    as weights and values, when there is one
///   work         the larger of the rollout's keys and values, with all weights where Zero::Weights gathers them for
///                it, and of a micro-batch's activations: one arena serves both, one after the other (w bytes an
///                element)
///   logits       a chunk of 2,048 rows
MemoryPlan cluster_memory(const ModelConfig& model, const StepWork& work, const Cluster& cluster,
                          Zero zero);

/// Says which change makes a step fit that does not, the least that does, of train.max_tokens_per_micro_batch,
/// train.gradient_checkpointing, rollout.max_batch_size, no reference and more ranks. Empty when it fits as it is.
std::string advice_to_fit(const ModelConfig& model, const StepWork& work, const Cluster& cluster,
                          Zero zero);

}  // namespace aha
