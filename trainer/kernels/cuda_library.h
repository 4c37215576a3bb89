#pragma once
#include <stdexcept>

#include "trainer/kernels/ops.h"

namespace aha {

/// A GPU failed in a way that this process does not recover from; the same run may succeed when tried again.
/// Exit 75.
class DeviceError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One of the job's ranks on this machine, each of which takes a GPU.
struct LocalRank {
  int number = 0;
  int ranks = 1;
};

/// The table of a rank's GPU: of as many visible ones as there are ranks its own by its number, or the only one. A process
/// has one GPU: the first call chooses it. Opens libaha_cuda.so, which lies beside the program, or the file that
/// the environment variable AHA_CUDA_LIBRARY names; a run that does not ask for a GPU opens nothing.
/// UserError, one line, when the library is missing or of another build, cuBLAS is not found, there is no GPU,
/// or fewer than ranks, or the driver or the GPU is too old. Later faults of the GPU are DeviceError.
const Ops& cuda_ops(const LocalRank& rank = {});

}  // namespace aha
