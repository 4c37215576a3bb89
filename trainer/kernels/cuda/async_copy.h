#pragma once
// Copies from global to shared memory that go on beside what their thread does (cp.async, PTX ISA 9.7.9.25).
#include "trainer/kernels/cuda/gpu.h"

namespace aha::cuda {

#ifdef AHA_CUDA_ON_HOST
/// to[0..Size) = the first `bytes` of `from` and zeros behind them; both at multiples of Size, which is 4 or 16.
template <int Size>
void copy_later(const void* from, int bytes, void* to) {
  cuda_on_host::copy_later(from, bytes, to, Size);
}
/// Waits for the thread's own copies: the block's are there after a barrier behind it.
inline void wait_for_copies() {
  cuda_on_host::wait_for_copies();
}
/// Copies asked for since the last end are a group.
inline void end_copies() {
  cuda_on_host::end_copies();
}
/// The same as wait_for_copies for all groups but the last Groups.
template <int Groups>
void wait_for_copies_but() {
  cuda_on_host::wait_for_copies_but(Groups);
}
#else
template <int Size>
AHA_DEVICE void copy_later(const void* from, int bytes, void* to) {
  const auto at = static_cast<std::uint32_t>(__cvta_generic_to_shared(to));
  if constexpr (Size == 16)
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(at), "l"(from), "r"(bytes)
                 : "memory");
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(at), "l"(from), "n"(Size),
                 "r"(bytes)
                 : "memory");
}
AHA_DEVICE void wait_for_copies() {
  asm volatile("cp.async.wait_all;" ::: "memory");
}
AHA_DEVICE void end_copies() {
  asm volatile("cp.async.commit_group;" ::: "memory");
}
template <int Groups>
AHA_DEVICE void wait_for_copies_but() {
  asm volatile("cp.async.wait_group %0;" ::"n"(Groups) : "memory");
}
#endif

}  // namespace aha::cuda
