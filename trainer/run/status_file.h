#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include "trainer/comm/communicator.h"
#include "trainer/core/ticker.h"

namespace aha {

/// How far a run is.
struct RunPosition {
  std::string stage;
  std::int64_t stage_index = 0;
  std::int64_t num_stages = 0;
  std::int64_t step = 0;         ///< done, of the stage
  std::int64_t total_steps = 0;  ///< of the stage
  std::int64_t global_step = 0;
};

/// output_dir/status.json: what all ranks do, for `aha watch`. Written by rank 0's thread once a second, each time
/// whole and with the next number in "beat": a file whose number stands still is of a run that is no more. Holds times
/// and hosts, and nothing that a run would read.
class StatusFile {
 public:
  static constexpr const char* kName = "status.json";

  /// `comm` must outlive it.
  StatusFile(const std::filesystem::path& folder, const Communicator& comm);
  /// A run whose end nobody noted has failed.
  ~StatusFile();
  StatusFile(const StatusFile&) = delete;
  StatusFile& operator=(const StatusFile&) = delete;

  void set(const RunPosition& position);
  /// "done" or "stopped", from now on.
  void end(const std::string& state);

 private:
  void write();

  std::filesystem::path path_;
  const Communicator& comm_;
  std::string began_;
  Clock::time_point start_ = Clock::now();
  std::mutex mutex_;  ///< of what follows
  RunPosition position_;
  std::string state_ = "running";
  std::int64_t beat_ = 0;
  std::unique_ptr<Ticker> ticker_;
};

}  // namespace aha
