#pragma once
#include <filesystem>

namespace aha {

/// A new folder of this process in the system's folder for such, gone at the end of the scope. A process that is killed
/// leaves its own behind: the next that makes one removes it. What says that a process is gone is a lock on the file
/// `owner`, which ends with it, wherever its id may be known. A folder without that file, or of another user, stays.
class SandboxHome {
 public:
  /// UserError where none can be made.
  SandboxHome();
  ~SandboxHome();
  SandboxHome(const SandboxHome&) = delete;
  SandboxHome& operator=(const SandboxHome&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  int lock_ = -1;  ///< -1: the folder stays where this process is killed
};

}  // namespace aha
