// libaha_cuda.so of a machine without a GPU, for tests of whole programs: AHA_CUDA_LIBRARY names it, and what they ask of a
// GPU is done by fibers.
#include <cuda_on_host_state.h>

#include <cstdlib>
#include <string>

#include "trainer/kernels/cuda/device.h"
#include "trainer/kernels/cuda/interface.h"

extern "C" __attribute__((visibility("default"))) const aha::Ops* aha_cuda_open(
    const aha::CudaHost* host) {
  if (!aha::same_interface(*host)) return nullptr;
  static bool opened = false;
  if (opened) return &aha::cuda::table();
  const char* visible = std::getenv("AHA_PRETENDED_GPUS");
  const int gpu = aha::gpu_of(host->local_rank, host->local_ranks,
                              visible == nullptr ? host->local_ranks : std::atoi(visible));
  if (gpu < 0) host->raise(aha::CudaFault::User, "device: pretended GPUs are too few");
  static const std::string address = "pretended:" + std::to_string(gpu);
  cuda_on_host::address = address.c_str();
  opened = true;
  return &aha::cuda::table();
}
