#include <cstdio>

#include "tests/trainer/kernels/cuda/gpu.h"
#include "trainer/core/error.h"
#include "trainer/kernels/cuda_library.h"

/// The GPU's table; where there is none the reason is said once.
const aha::Ops* aha_test::gpu_ops() {
  static const aha::Ops* const ops = []() -> const aha::Ops* {
    try {
      return &aha::cuda_ops();
    } catch (const aha::UserError& error) {
      std::printf("skipped: no GPU (%s)\n", error.what());
      return nullptr;
    }
  }();
  return ops;
}
