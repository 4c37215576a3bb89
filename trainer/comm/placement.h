#pragma once
#include <functional>
#include <optional>
#include <string>

namespace aha {

/// Where this process stands among the ranks of a job. The default is a process by itself.
struct Placement {
  int rank = 0;
  int world_size = 1;
  int local_rank = 0;                     ///< among the ranks of this machine
  int local_world_size = 1;               ///< ranks of this machine
  std::string master_addr = "127.0.0.1";  ///< where rank 0 listens
  int master_port = 0;                    ///< 0: nobody listens (one rank)
  std::string run_id;  ///< the same on all ranks of one start, another on the next; may be empty
  int listener = -1;   ///< of rank 0: a socket that listens at master_port already; -1: none
  int cores = 0;       ///< this rank's share of the machine's cores; 0: all
};

/// The value of an environment variable; nothing when it is not set. Empty counts as not set.
using EnvironmentLookup = std::function<std::optional<std::string>(const std::string& name)>;

/// std::getenv.
std::optional<std::string> environment_variable(const std::string& name);

/// Reads the placement from what a launcher has set. In this order:
///
/// 1. torchrun's RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT, and LOCAL_RANK with LOCAL_WORLD_SIZE
///    (absent: one rank a machine), TORCHELASTIC_RUN_ID; and AHA_LISTENER, the file of a socket that
///    whoever starts rank 0 has it inherit, so that nobody can take the port before it. They come first because a launcher that
///    runs inside a Slurm step stands nearer to the process than Slurm does.
/// 2. Slurm's, of a task that srun has started: SLURM_PROCID, SLURM_STEP_NUM_TASKS, SLURM_LOCALID,
///    SLURM_NODEID, SLURM_STEP_TASKS_PER_NODE, SLURM_STEP_NODELIST. Rank 0 is on the first node of the
///    list; its port, 15000 to 29999, is made of job and step id. MASTER_ADDR and MASTER_PORT, where
///    they are set, replace either.
/// 3. Neither: one process.
///
/// `available_cores` of this process are divided over the ranks of the machine, unless Slurm has
/// bound the task to cores of its own.
///
/// UserError naming the variable when a set is incomplete or contradicts itself, and in a batch
/// script or shell of a Slurm job of several tasks that was not started by srun: it would wait for
/// ranks that never come.
Placement placement_from_environment(const EnvironmentLookup& lookup, int available_cores);

/// How many ranks RANK's set or srun has made this process one of; 1: none, in a batch script too.
int outer_ranks(const EnvironmentLookup& lookup);

}  // namespace aha
