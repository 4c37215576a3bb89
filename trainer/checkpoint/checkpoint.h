#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "trainer/checkpoint/state.h"
#include "trainer/core/tensor.h"
#include "trainer/model/parameters.h"
#include "trainer/optim/adamw.h"

namespace aha {

/// What is saved. A checkpoint is a model folder that transformers loads as it stands, plus
///   optimizer/state.safetensors   exp_avg.NAME and exp_avg_sq.NAME of each trainable parameter, f32
///   optimizer/master.safetensors  the f32 weights, when the model's own are written as bfloat16
///   reference/                    the reference policy, when there is one, as a model folder
///   trainer_state.json
struct CheckpointParts {
  const ModelConfig& config;
  const ParameterLayout& layout;
  const Tensor& values;               ///< [total] f32
  const Moments& moments;             ///< [total]
  const Tensor* reference = nullptr;  ///< [total] f32
  /// Name -> bytes; a name may have a folder in it, as additional chat templates do.
  std::vector<std::pair<std::string, std::string>> tokenizer_files;
  std::string dtype = "float32";  ///< of the written model
};

/// Writes `checkpoints`/step_<global_step>: into a temporary folder that is synced and then renamed, so
/// that a folder of that name is always whole; then points the symlink `checkpoints`/../latest at it.
/// UserError when the disk is full or not writable: the temporary is removed, older checkpoints stand.
std::filesystem::path save_checkpoint(const std::filesystem::path& checkpoints,
                                      const CheckpointParts& parts, const TrainerState& state);

/// Global steps of the checkpoints there, ascending.
std::vector<std::int64_t> list_checkpoints(const std::filesystem::path& checkpoints);

std::filesystem::path checkpoint_path(const std::filesystem::path& checkpoints,
                                      std::int64_t global_step);

struct LoadedCheckpoint {
  std::filesystem::path folder;
  TrainerState state;
  Tensor values;    ///< [total] f32
  Moments moments;  ///< [total]
  std::optional<Tensor> reference;
};

/// Reads one checkpoint of this layout. UserError naming the file for anything missing or corrupt.
LoadedCheckpoint load_checkpoint(const std::filesystem::path& folder,
                                 const ParameterLayout& layout);

/// The newest checkpoint that can be read; says on the log which ones were passed over and why.
/// Nothing when there is none.
std::optional<LoadedCheckpoint> load_newest(const std::filesystem::path& checkpoints,
                                            const ParameterLayout& layout);

/// Removes all but the `keep` newest (0: keeps all) and `best`, and folders that a crash left behind.
void prune_checkpoints(const std::filesystem::path& checkpoints, std::int64_t keep,
                       std::int64_t best);

}  // namespace aha
