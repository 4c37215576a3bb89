#pragma once
// What the program and libaha_cuda.so agree on. Both are built from one source tree; a library of another one
// is refused, not called.
#include "trainer/kernels/device_ops.h"

namespace aha {

/// Counts up when the meaning of anything in ops.h, device_ops.h, memory.h or this file changes.
constexpr int kCudaInterface = 6;

template <class... Structs>
constexpr std::int64_t bytes_of_all() {
  return (std::int64_t{sizeof(Structs)} + ...);
}

/// Of every struct of ops.h, device_ops.h and memory.h: a library whose structs are longer or shorter is another one, whatever its number.
constexpr std::int64_t kCudaLayout =
    bytes_of_all<Weight, Linear, LinearDx, LinearDw, RmsNorm, RmsNormBackward, Rope, HeadNorm,
                 HeadNormBackward, KvStore, KvRows, KvCopy, Attention, KvPart, KvPartRange,
                 AttentionBackward, Swiglu, SwigluBackward, HeadLogprob, HeadLogprobBackward,
                 HeadSample, AdamW, FinishQkv, DrawnToken, DecodeSlot, DecodeSettings, SlotStart,
                 StartSlots, LoadRows, SampleSlots, DeviceState, DeviceOps, Ops, Memory, Exec>();

enum class CudaFault {
  User,    ///< no GPU that can be used, a driver that is too old
  Memory,  ///< too little memory
  Device,  ///< the GPU or a call of CUDA failed
  Ours     ///< an error of the program
};

/// What the program gives the library.
struct CudaHost {
  int interface = kCudaInterface;
  std::int64_t layout = kCudaLayout;
  /// Throws: does not return.
  void (*raise)(CudaFault fault, const char* message) = nullptr;
};

/// Whether a library and a program understand each other. Called by the library, whose constants these are.
inline bool same_interface(const CudaHost& host) {
  return host.interface == kCudaInterface && host.layout == kCudaLayout;
}

/// The library's one function, "aha_cuda_open": takes the first visible GPU and gives its table; null when
/// the interface is another one.
using CudaOpen = const Ops* (*)(const CudaHost* host);

}  // namespace aha
