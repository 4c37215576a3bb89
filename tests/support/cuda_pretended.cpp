// libaha_cuda.so of a machine without a GPU, for tests of whole programs: AHA_CUDA_LIBRARY names it, and what they ask of a
// GPU is done by fibers.
#include "trainer/kernels/cuda/device.h"
#include "trainer/kernels/cuda/interface.h"

extern "C" __attribute__((visibility("default"))) const aha::Ops* aha_cuda_open(
    const aha::CudaHost* host) {
  return aha::same_interface(*host) ? &aha::cuda::table() : nullptr;
}
