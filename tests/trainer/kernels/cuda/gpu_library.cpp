#include <cstdio>
#include <filesystem>

#include "tests/trainer/kernels/cuda/gpu.h"
#include "trainer/kernels/cuda_library.h"

/// The GPU's table. Where no driver is loaded that is said once; where there is one, a library that does not open
/// fails the test.
const aha::Ops* aha_test::gpu_ops() {
  static const aha::Ops* const ops = []() -> const aha::Ops* {
    if (std::filesystem::exists("/dev/nvidiactl")) return &aha::cuda_ops();
    std::printf("skipped: no GPU (there is no /dev/nvidiactl)\n");
    return nullptr;
  }();
  return ops;
}

bool aha_test::products_know_one_row() {
  return false;
}
