#pragma once
#include <optional>

#include "trainer/checkpoint/checkpoint.h"
#include "trainer/run/stage.h"

namespace aha {

/// Writes down where a stage stands, but for what belongs to the job: its configuration, the best metric
/// and the files' offsets.
void note_state(const Stage& stage, TrainerState& state);

/// Puts a stage where a checkpoint of it left off. UserError when its training file holds other rows than
/// it did: draws are numbers of rows.
void restore_stage(Stage& stage, const LoadedCheckpoint& from);

/// What a checkpoint of the stage holds beside where it stands: this rank's share, and on rank 0 the model, the
/// tokenizer and the reference. Tensors are the stage's own, but for a reference that moves while it is written, and
/// what is brought together of divided weights. Collective.
CheckpointParts checkpoint_parts(Stage& stage);

/// What the updates of a step change, copied before a step that makes several: a step that is refused
/// half-way is undone as a whole.
struct Snapshot {
  Tensor values;  ///< [own]
  Moments moments;
  std::int64_t updates;
};

/// Nothing when the step makes one update, which is refused before it changes anything.
std::optional<Snapshot> snapshot_of(const Stage& stage);
/// Collective.
void undo(Stage& stage, const std::optional<Snapshot>& before);

}  // namespace aha
