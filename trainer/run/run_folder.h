#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "trainer/checkpoint/checkpoint.h"
#include "trainer/config/schema.h"

namespace aha {

/// The folder of a run: output_dir, who may write there, and what it goes on from.
class RunFolder {
 public:
  /// Decides by `resume`:
  ///   none  the folder must be empty or absent; UserError names --resume auto otherwise
  ///   auto  the folder must be empty or of the same configuration (keys marked as free may differ,
  ///         others are refused one by one); goes on from the newest checkpoint that can be read, and
  ///         without one starts afresh
  ///   PATH  goes on from that checkpoint, under the same rule for keys; later ones of the same folder
  ///         are removed
  /// Checkpoints are read by `read`. Then writes config.resolved.yaml. Nothing of an earlier run is lost when an error is thrown.
  RunFolder(const Config& config, const std::string& resume, const CheckpointReader& read);

  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path checkpoints() const { return path_ / "checkpoints"; }

  /// What to go on from; nothing: a fresh start. Moved out by the caller.
  std::optional<LoadedCheckpoint> take_start() { return std::move(start_); }

 private:
  void lock();

  std::filesystem::path path_;
  std::optional<LoadedCheckpoint> start_;
  int lock_ = -1;  ///< open file that is locked while this run is at work
};

}  // namespace aha
