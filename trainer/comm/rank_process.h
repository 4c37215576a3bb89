#pragma once
#include <signal.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace aha {

/// One rank as this process started it.
struct RankProcess {
  pid_t pid = -1;
  int out = -1;  ///< its standard output to read from; -1: it has ours
  int err = -1;
};

/// What all ranks of a start share.
struct RankStart {
  std::vector<std::string> command;  ///< path of a program, then its arguments
  int ranks = 1;
  int port = 0;
  int listener = -1;       ///< rank 0 inherits it; -1: none
  sigset_t signal_mask{};  ///< that the ranks begin with
};

/// Starts one rank: torchrun's variables, /dev/null for standard input, a process group of its own, and
/// SIGKILL when this process dies. Rank 0 writes where we write. UserError when it cannot be started;
/// a program that is not there ends with 127.
RankProcess start_rank(const RankStart& start, int rank);

/// How one rank ended.
struct RankEnd {
  int rank = 0;
  int code = 0;    ///< its exit code; 0 when a signal ended it
  int signal = 0;  ///< that ended it; 0: it exited

  /// Anything but 0 and 85, "stopped with a checkpoint".
  bool failed() const;
  /// "exit code 2", "ended by signal 9 (Killed)".
  std::string text() const;
};

/// How `rank` ended, nothing while it lives; then all that it started is killed and `pid` is free for
/// others.
std::optional<RankEnd> end_of(int rank, pid_t pid);

/// Kills a rank and all that it started, and waits for its end.
void kill_rank(pid_t pid);

}  // namespace aha
