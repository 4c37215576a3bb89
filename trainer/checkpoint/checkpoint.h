#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "trainer/checkpoint/optimizer_files.h"
#include "trainer/checkpoint/state.h"
#include "trainer/core/tensor.h"
#include "trainer/model/parameters.h"

namespace aha {

/// What is saved. A checkpoint is a model folder that transformers loads as it stands, plus
///   optimizer/           moments, and f32 weights when the model's own are rounded: see OptimizerShard
///   reference/           the reference policy, when there is one, as a model folder
///   trainer_state.json
///   checksums.json       in each folder, of its files; the loader compares them
/// A rank that does not lead writes its shard of the optimizer alone, and has no values.
struct CheckpointParts {
  const ModelConfig& config;
  const ParameterLayout& layout;
  Tensor values;  ///< [total] f32
  OptimizerShard optimizer;
  Tensor reference;  ///< [total] f32; undefined: none
  /// Name -> bytes; a name may have a folder in it, as additional chat templates do.
  std::vector<std::pair<std::string, std::string>> tokenizer_files;
  std::string dtype = "float32";  ///< of the written model
  bool copied = false;  ///< `values` and `reference` are copies, which training does not change
};

/// `checkpoints`/step_<global_step>.partial, in which a checkpoint is written.
std::filesystem::path partial_path(const std::filesystem::path& checkpoints,
                                   std::int64_t global_step);

/// Makes the partial folder anew. UserError when that cannot be done.
std::filesystem::path begin_checkpoint(const std::filesystem::path& checkpoints,
                                       std::int64_t global_step);

/// Writes this rank's shard of the optimizer into the partial folder. Returns its checksums.
Checksums write_own_part(const std::filesystem::path& partial, const CheckpointParts& parts);

/// Writes what one rank writes for all, and makes the partial folder a checkpoint when that and every
/// shard is there, whose `checksums` are those of write_own_part of all ranks: it is synced and renamed, so
/// that a folder of that name is always whole; then the symlink `checkpoints`/../latest points at it.
/// `shards_ready` is called in between and returns those checksums; it may wait. When it throws the partial
/// folder is removed, and older checkpoints stand. A link that cannot be made is a warning.
std::filesystem::path finish_checkpoint(const std::filesystem::path& partial,
                                        const CheckpointParts& parts, const TrainerState& state,
                                        const std::function<Checksums()>& shards_ready);

/// All of it, of one rank. UserError when the disk is full or not writable.
std::filesystem::path save_checkpoint(const std::filesystem::path& checkpoints,
                                      const CheckpointParts& parts, const TrainerState& state);

/// Global steps of the checkpoints there, ascending.
std::vector<std::int64_t> list_checkpoints(const std::filesystem::path& checkpoints);

std::filesystem::path checkpoint_path(const std::filesystem::path& checkpoints,
                                      std::int64_t global_step);

struct LoadedCheckpoint {
  std::filesystem::path folder;
  TrainerState state;
  Tensor values;                    ///< [own] f32
  Moments moments;                  ///< [own]
  std::optional<Tensor> reference;  ///< [own] f32
};

/// Reads the slice `own` of one checkpoint of this layout. UserError naming the file,
/// and the tensor, for anything missing or damaged.
LoadedCheckpoint load_checkpoint(const std::filesystem::path& folder, const ParameterLayout& layout,
                                 Slice own);

/// Reads a checkpoint, as load_checkpoint does.
using CheckpointReader = std::function<LoadedCheckpoint(const std::filesystem::path& folder)>;

/// The newest checkpoint that `read` can read; says on the log which ones were passed over and why.
/// Nothing when there is none. What a crash left half-done there is undone first.
std::optional<LoadedCheckpoint> load_newest(const std::filesystem::path& checkpoints,
                                            const CheckpointReader& read);

/// Removes the checkpoints after a step, and points `latest` at that step's where it is there.
void go_back_to(const std::filesystem::path& checkpoints, std::int64_t global_step);

/// Removes all but the `keep` newest (0: keeps all) and `best`, and folders that a crash left behind.
void prune_checkpoints(const std::filesystem::path& checkpoints, std::int64_t keep,
                       std::int64_t best);

}  // namespace aha
