#pragma once
#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

namespace aha_test {

inline bool write_text(const char* path, const std::string& text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  const bool written = fd >= 0 && write(fd, text.data(), text.size()) == std::ssize(text);
  if (fd >= 0) close(fd);
  return written;
}

/// From now on this process is root in a user namespace of its own, where it may make others. False: not allowed.
inline bool become_root_of_namespace() {
  const auto line = [](unsigned id) { return "0 " + std::to_string(id) + " 1"; };
  const auto user = line(getuid());
  const auto group = line(getgid());
  return unshare(CLONE_NEWUSER) == 0 && write_text("/proc/self/setgroups", "deny") &&
         write_text("/proc/self/uid_map", user) && write_text("/proc/self/gid_map", group);
}

/// From now on the clock that counts from the start of the machine is ahead by so many seconds. False: not allowed.
inline bool shift_monotonic_clock(long seconds) {
  constexpr int kNewTime = 0x80;  // CLONE_NEWTIME
  if (!become_root_of_namespace() || unshare(kNewTime) != 0) return false;
  if (!write_text("/proc/self/timens_offsets", "monotonic " + std::to_string(seconds) + " 0\n"))
    return false;
  const int own = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
  return own >= 0 && setns(own, kNewTime) == 0;
}

/// Whether `step` is allowed here, tried in a child process.
template <class Step>
bool allowed(const Step& step) {
  const pid_t child = fork();
  if (child == 0) _exit(step() ? 0 : 1);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace aha_test
