#pragma once
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace aha_test {

/// Files of the process (0: this one) may not grow beyond `bytes` from now on; may be raised again.
inline void limit_files(rlim_t bytes, pid_t process = 0) {
  rlimit limit{};
  ::prlimit(process, RLIMIT_FSIZE, nullptr, &limit);
  limit.rlim_cur = bytes;
  ::prlimit(process, RLIMIT_FSIZE, &limit, nullptr);
}

/// Runs `body` in a child process whose files may not grow beyond `bytes`: a disk that is full.
/// True when it returned true.
template <class Body>
bool with_full_disk(rlim_t bytes, const Body& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    limit_files(bytes);
    bool good = false;
    try {
      good = body();
    } catch (...) {
    }
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace aha_test
