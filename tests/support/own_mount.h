#pragma once
#include <sys/mount.h>

#include <filesystem>
#include <string>

#include "tests/support/namespaces.h"

namespace aha_test {

/// A folder that a program and its children see by a mount of their own, which can be made read-only: a disk that is.
class OwnMount {
 public:
  explicit OwnMount(std::filesystem::path folder) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
  }

  /// Whether this machine allows it.
  bool possible() const {
    return allowed([&] { return enter(); });
  }
  /// From now on this process sees the folder so.
  bool enter() const {
    return become_root_of_namespace() && unshare(CLONE_NEWNS) == 0 &&
           mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           mount(folder_.c_str(), folder_.c_str(), nullptr, MS_BIND, nullptr) == 0;
  }
  /// For the process that entered, and its children. False: a file there is being written; try again.
  bool make_read_only(pid_t process, bool on) const {
    return allowed([&] {
      const auto spaces = "/proc/" + std::to_string(process) + "/ns/";
      for (const char* name : {"user", "mnt"}) {
        const int space = open((spaces + name).c_str(), O_RDONLY | O_CLOEXEC);
        if (space < 0 || setns(space, 0) != 0) return false;
      }
      const auto flags = MS_REMOUNT | MS_BIND | (on ? MS_RDONLY : 0);
      return mount(nullptr, folder_.c_str(), nullptr, flags, nullptr) == 0;
    });
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace aha_test
