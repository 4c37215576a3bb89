#pragma once
// What the program and libaha_cuda.so agree on. Both are built from one source tree; a library of another one
// is refused, not called.
#include "trainer/kernels/ops.h"

namespace aha {

/// Counts up when the meaning of anything in ops.h, memory.h or this file changes.
constexpr int kCudaInterface = 1;

enum class CudaFault {
  User,   ///< no GPU, a driver that is too old, too little memory
  Device  ///< the GPU or a call of CUDA failed
};

/// What the program gives the library.
struct CudaHost {
  int interface = kCudaInterface;
  std::int64_t ops_bytes = sizeof(Ops);
  /// Throws: does not return.
  void (*raise)(CudaFault fault, const char* message) = nullptr;
};

/// The library's one function, "aha_cuda_open": takes the first visible GPU and gives its table; null when
/// the interface is another one.
using CudaOpen = const Ops* (*)(const CudaHost* host);

}  // namespace aha
