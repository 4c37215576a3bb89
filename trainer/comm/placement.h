#pragma once
#include <string>

namespace aha {

/// Where a process stands among the ranks of its job.
struct Placement {
  int rank = 0;
  int world_size = 1;
  int local_rank = 0;
  int local_world_size = 1;
  std::string master_addr = "127.0.0.1";
  int master_port = 0;
  std::string run_id;
};

}  // namespace aha
