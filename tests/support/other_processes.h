#pragma once
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/process.h"

namespace aha_test {

/// Closed at the end of the scope.
class OwnedFile {
 public:
  explicit OwnedFile(int file) : file_(file) {}
  ~OwnedFile() {
    if (file_ >= 0) close(file_);
  }
  OwnedFile(const OwnedFile&) = delete;
  OwnedFile& operator=(const OwnedFile&) = delete;
  int get() const { return file_; }

 private:
  int file_;
};

/// Ends a process's connections to a port of this machine, as a network that fails does. How many there were; -1 where
/// that is not allowed.
inline int cut_connections(pid_t pid, int port) {
  const OwnedFile process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (process.get() < 0) return -1;
  int cut = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
    const int number = std::stoi(entry.path().filename());
    const OwnedFile file(static_cast<int>(syscall(SYS_pidfd_getfd, process.get(), number, 0)));
    if (file.get() < 0 && (errno == EPERM || errno == ENOSYS)) return -1;
    sockaddr_in6 peer{};           // the port is where sockaddr_in has it
    socklen_t size = sizeof peer;  // a file that was closed meanwhile has none
    if (getpeername(file.get(), reinterpret_cast<sockaddr*>(&peer), &size) == 0 &&
        (peer.sin6_family == AF_INET || peer.sin6_family == AF_INET6) &&
        ntohs(peer.sin6_port) == port) {
      shutdown(file.get(), SHUT_RDWR);
      ++cut;
    }
  }
  return cut;
}

inline std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto stat = slurp(entry.path() / "stat");
    std::istringstream fields(stat.substr(std::min(stat.size(), stat.rfind(')') + 1)));
    std::string state;
    pid_t its_parent = 0;
    if (fields >> state >> its_parent && its_parent == parent) children.push_back(std::stoi(name));
  }
  return children;
}

/// A child by a word of its command line.
inline std::optional<pid_t> child_of(pid_t parent, const std::string& word) {
  for (const auto child : children_of(parent))
    if (slurp("/proc/" + std::to_string(child) + "/cmdline").find(word) != std::string::npos)
      return child;
  return std::nullopt;
}

}  // namespace aha_test
