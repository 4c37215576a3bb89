#pragma once
// What the program and libaha_cuda.so agree on. Both are built from one source tree; a library of another one
// is refused, not called.
#include "trainer/kernels/device_ops.h"

namespace aha {

/// Counts up when the meaning of anything in ops.h, tasks.h, attention_tasks.h, device_ops.h, memory.h, device_network.h or this file changes.
constexpr int kCudaInterface = 9;

template <class... Structs>
constexpr std::int64_t bytes_of_all() {
  return (std::int64_t{sizeof(Structs)} + ...);
}

/// Of every struct of ops.h, tasks.h, attention_tasks.h, device_ops.h, memory.h and device_network.h: a library whose structs are longer or shorter is another one, whatever its number.
constexpr std::int64_t kCudaLayout =
    bytes_of_all<Weight, Linear, LinearDx, LinearDw, RmsNorm, RmsNormBackward, Rope, HeadNorm,
                 HeadNormBackward, KvStore, KvRows, KvCopy, Attention, KvPart, KvPartRange,
                 AttentionBackward, Swiglu, SwigluBackward, NormLinearBackward, MlpBackward,
                 HeadLogprob, HeadLogprobBackward, HeadSample, AdamW, FinishQkv, DrawnToken,
                 DecodeSlot, DecodeSettings, SlotStart, StartSlots, LoadRows, SampleSlots,
                 DeviceState, DeviceOps, Ops, Memory, Exec, DeviceNetworkId, DevicePart,
                 DeviceGroup, DeviceNetwork>();

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
  int local_rank = 0;   ///< of the job's ranks on this machine, each of which has a GPU
  int local_ranks = 1;  ///< how many they are
  /// Throws: does not return.
  void (*raise)(CudaFault fault, const char* message) = nullptr;
};

/// Whether a library and a program understand each other. Called by the library, whose constants these are.
inline bool same_interface(const CudaHost& host) {
  return host.interface == kCudaInterface && host.layout == kCudaLayout;
}

/// Which of the `visible` GPUs a rank takes: as many as there are ranks, and each has its own; the only one, where a
/// launcher shows each rank its own (Slurm's --gpus-per-task). Below 0: there are too few.
constexpr int gpu_of(int local_rank, int local_ranks, int visible) {
  if (visible == 1) return 0;
  return local_rank < visible && local_ranks <= visible ? local_rank : -1;
}

/// The library's one function, "aha_cuda_open": takes the rank's GPU (gpu_of) and gives its table; null when
/// the interface is another one.
using CudaOpen = const Ops* (*)(const CudaHost* host);

}  // namespace aha
