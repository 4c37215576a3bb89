#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "trainer/checkpoint/checkpoint.h"
#include "trainer/config/schema.h"
#include "trainer/run/run_lock.h"

namespace aha {

/// The folder of a run: output_dir, who may write there, and what it goes on from.
class RunFolder {
 public:
  /// Decides by `resume`:
  ///   none  the folder must be empty or absent; UserError names --resume auto otherwise
  ///   auto  the folder must be empty or of the same configuration (keys marked as free may differ,
  ///         others are refused one by one); goes on from the newest checkpoint that can be read, and
  ///         without one starts afresh
  ///   PATH  goes on from that checkpoint, under the same rule for keys; later ones of the same folder are
  ///         the caller's to remove (go_back_to), when nothing can go wrong any more
  /// Checkpoints are read by `read`. Then writes config.resolved.yaml. A folder that another run has is refused first.
  /// Nothing of an earlier run is lost when an error is thrown.
  RunFolder(const Config& config, const std::string& resume, const CheckpointReader& read);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path checkpoints() const { return path_ / "checkpoints"; }

  /// Whether a checkpoint is one of this run's.
  bool owns(const std::filesystem::path& checkpoint) const;

  /// What to go on from; nothing: a fresh start. Moved out by the caller.
  std::optional<LoadedCheckpoint> take_start() { return std::move(start_); }

 private:
  std::filesystem::path path_;
  std::optional<RunLock> lock_;
  std::optional<LoadedCheckpoint> start_;
};

}  // namespace aha
