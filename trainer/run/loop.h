#pragma once
#include <filesystem>
#include <string>

#include "trainer/comm/placement.h"
#include "trainer/config/schema.h"

namespace aha {

struct TrainOptions {
  std::string resume = "none";  ///< none, auto, or the path of a checkpoint
  bool progress = false;        ///< standard error is a terminal: draw a progress bar
  Placement placement;  ///< of this rank; its share of the cores is what "0: all cores" means
};

/// How a job ended.
enum class JobEnd : std::uint8_t {
  Done,
  Stopped,  ///< by a signal, with a checkpoint: exit code 85
};

/// Runs a job: its stages one after the other, each with an evaluation before its first step, at its
/// cadence and at its end, checkpoints, and the files of output_dir. Resuming gives the same bytes as
/// never having stopped. UserError for everything that the user can mend, NaN in training included (the
/// last good state is then saved).
///
/// With several ranks each calls this; rank 0 alone writes and talks. CommError when a rank or the network
/// fails.
JobEnd run_job(const Config& config, const TrainOptions& options);

}  // namespace aha
