#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "trainer/core/ticker.h"

namespace aha {

/// Who writes to a run's folder: one aha at a time.
///
/// The file .lock is locked (flock), which ends with the process, however that ends; it says who has it, and its
/// time is renewed every second. Another process of this machine that finds it locked is refused. Locks do not
/// reach other hosts on every file system, so that after a holder on another host (or before this machine's last
/// start) the file is watched for `patience_s`: when its time moves, the holder lives. No clocks are compared.
///
/// A holder that was taken for dead and wakes up finds another's name in the file, says so and ends the
/// process (exit 2), within a second.
class RunLock {
 public:
  static constexpr const char* kName = ".lock";

  /// UserError naming pid, host and since when, when the folder is in use. The folder must exist.
  explicit RunLock(const std::filesystem::path& folder, double patience_s = 10);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  void take(double patience_s);
  void renew();

  std::filesystem::path path_;
  int file_ = -1;  ///< open while it is ours
  std::string own_;
  std::unique_ptr<Ticker> ticker_;
};

}  // namespace aha
