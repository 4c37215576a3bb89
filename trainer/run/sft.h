#pragma once
#include "trainer/metrics/step_metrics.h"
#include "trainer/run/stage.h"

namespace aha {

/// One optimizer step of supervised fine-tuning: the mean negative log-likelihood of the completions'
/// tokens (prompts are masked), per_device_train_batch_size sequences.
///
/// Draws come in blocks of bucket_batches batches that are sorted by length together, so that sequences
/// of one batch have similar lengths; the block's batches are then taken in an order drawn from the seed.
/// Throws UserError when the loss or the gradient is not finite; nothing is changed then.
void sft_step(Stage& stage, MetricsRow& row);

/// What written answers are read from.
struct SftSource {
  const PromptSet& rows;
  const Tokenizer& tokenizer;
  const ModelConfig& model;
  const StageConfig& stage;
};

/// The tokens of one training row: its prompt, and a group of one completion (the written answer and
/// the end-of-text id). UserError when it is longer than the model's positions.
Group sft_example(const SftSource& source, const Draw& draw);

}  // namespace aha
