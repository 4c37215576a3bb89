#pragma once
// How the library ends a call: by the program, which throws.
#include <cstdio>

#include "trainer/kernels/cuda/interface.h"

namespace aha::cuda {

[[noreturn]] void raise(CudaFault fault, const char* message);

template <class... Arguments>
[[noreturn]] void raise(CudaFault fault, const char* format, Arguments... arguments) {
  char message[512];
  std::snprintf(message, sizeof message, format, arguments...);
  raise(fault, static_cast<const char*>(message));
}

/// Of what, and how much of how much is free, in GB.
constexpr const char* kTooLittleMemory =
    "memory of the GPU: too little for %s, and %.2f of %.2f GB are free; lower "
    "train.max_tokens_per_micro_batch or rollout.max_batch_size, set train.keep_logits=false, or "
    "end what else uses the GPU";

/// What CUDA does not do between the begin and the end of a recording.
void require_no_recording(const char* what);

/// Whether a collective may be under way, which waits for other GPUs: nothing that waits for this one may be called then.
bool network_is_busy();

}  // namespace aha::cuda
