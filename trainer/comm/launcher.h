#pragma once
#include <string>
#include <vector>

namespace aha {

/// Ranks of one job on this machine.
struct LaunchPlan {
  std::vector<std::string> command;  ///< path of a program, then its arguments
  int ranks = 1;
  double grace_s = 10.0;  ///< between SIGTERM and SIGKILL when one has failed
};

/// Starts `ranks` processes of the command and returns when all have ended, with the exit code that
/// tells most.
///
/// Each finds torchrun's variables (RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR,
/// MASTER_PORT, TORCHELASTIC_RUN_ID), rank 0 a socket that listens at that port (AHA_LISTENER), nothing on standard input, and
/// a process group of its own. Rank 0 has this process's console as it is; lines of the others come
/// behind "[rank] ". SIGINT, SIGTERM, SIGUSR1 and SIGUSR2 are passed on to every rank, each time that
/// they come; Ctrl-Z stops all and `fg` continues all.
///
/// When a rank fails (a signal, or an exit code other than 0 and 85), one line says which and how;
/// the others get SIGTERM and after `grace_s` SIGKILL. What they leave running is killed. When this
/// process dies, by SIGKILL too, so do the ranks.
///
/// The code: of the first rank that failed, but not 75 (a peer was lost) where another rank says why;
/// 75 or 70 for one that a signal ended, 128 + the signal for one that was passed on; without a
/// failure 85 when a rank stopped by a signal, else 0. UserError when a rank cannot be started.
///
/// To be called while this process has one thread. Signals are as before when it returns.
int launch(const LaunchPlan& plan);

/// The command of this process, from /proc, run by /proc/self/exe, without an option and its value
/// ("--nproc 2" or "--nproc=2").
std::vector<std::string> own_command_without(const std::string& option);

}  // namespace aha
