#pragma once
#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "trainer/checkpoint/checkpoint.h"
#include "trainer/comm/communicator.h"
#include "trainer/config/schema.h"

namespace aha {

/// Writes checkpoints beside training: one at a time, every rank its own shard, from a copy of the
/// committed state (checkpoint.async) or of the state itself. All calls but the constructor are collective.
///
/// A save that fails (the disk is full, or can no longer be written) is said on the log, and training goes on:
/// the next save tries again. checkpoint.max_failed_saves of them in a row are a UserError.
class Saver {
 public:
  Saver(Communicator& comm, std::filesystem::path checkpoints);
  /// Waits for the save under way, for a moment only where other ranks have to do their part.
  ~Saver();
  Saver(const Saver&) = delete;
  Saver& operator=(const Saver&) = delete;

  /// What a save is made of. `parts` may be changed by training when `save` has returned, but for
  /// `reference`.
  struct Request {
    CheckpointConfig settings;
    CheckpointParts parts;
    TrainerState state;
    std::function<void()> prepare;  ///< rank 0, before: what must be on the disk first
  };

  /// Begins a save, after the one under way has ended.
  void save(Request request);
  /// Takes note of a save that has ended by now.
  void look();
  /// Waits for the save under way.
  void wait();
  /// Waits, and throws UserError when the last save has failed: there is no next one.
  void finish();

  /// Global step of the newest checkpoint that is whole or being written; -1: none of this run.
  std::int64_t saved_at() const { return saved_at_; }
  /// The run goes on from a checkpoint of its own.
  void set_saved(const TrainerState& state);

 private:
  struct Work;

  void run(Work& work);
  void write_shared(Work& work);
  void write_shard(Work& work);
  Checksums shard_of(const Work& work, int rank) const;
  void note(const std::string& error, const Work& work);

  Communicator& comm_;
  std::filesystem::path checkpoints_;
  std::unique_ptr<Work> work_;  ///< under way
  std::int64_t count_ = 0;      ///< saves begun
  std::int64_t saved_at_ = -1;
  std::int64_t whole_at_ = -1;  ///< as saved_at_, when all is written
  std::int64_t best_at_ = -1;   ///< the best one that is whole: kept until a better one is
  std::int64_t failed_ = 0;     ///< saves in a row
  std::string last_error_;
  std::atomic<bool> ending_ = false;
};

}  // namespace aha
