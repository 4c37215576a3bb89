#pragma once
// CUDA for tests without a GPU: the kernels' sources compiled by a C++ compiler. A block's threads are fibers that
// run from barrier to barrier, in ascending order in one launch and in descending order in the next, so that a
// missing barrier shows. Shared memory begins as NaN.
//
// Device memory is memory that the program cannot touch: it is opened for what the device does alone, ends at a page that
// is never open, and a kernel that is given a pointer to other memory ends the program. What passes here works on pointers
// as a GPU would.
//
// Calls are done as late as a device may do them: when the host waits.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>

#define __global__ static
#define __device__
#define __host__
#define __forceinline__ inline

namespace cuda_on_host {

struct Index3 {
  unsigned x, y, z;
};
extern Index3 thread_index, block_index, block_size;

struct Launch {
  std::int64_t x, y;
  int threads;
  std::int64_t shared_bytes;
};
/// Runs a kernel now.
void run(const Launch& launch, const std::function<void()>& kernel);

/// Asks for something. Nothing is done before the host waits for it, so that what the host reads or changes too early
/// shows; between the begin and the end of a recording it is recorded.
void submit(std::function<void()> task);

void require_no_host_word(const void* argument, std::size_t bytes);

/// Ends the program when a word of a kernel's argument is an address of memory that is not the device's.
template <class T>
void require_no_host_pointer(T argument) {
  __builtin_clear_padding(&argument);  // which may hold an old address
  require_no_host_word(&argument, sizeof argument);
}

void* shared_memory();
void wait_for_block();
/// Gives every lane's value to the warp and returns the place of lane `source`'s.
const void* exchange(const void* value, std::size_t bytes, int source);

/// A thread's copies to shared memory: every other thread's are done at once, the others' when the thread waits, so that
/// what is read too early shows, and what is overwritten too early.
void copy_later(const void* from, int bytes, void* to, int size);
void wait_for_copies();
void end_copies();
void wait_for_copies_but(int groups);

template <class T>
T from_lane(T value, int source) {
  static_assert(sizeof(T) <= 8);
  T result;
  std::memcpy(&result, exchange(&value, sizeof value, source), sizeof result);
  return result;
}

}  // namespace cuda_on_host

#define threadIdx cuda_on_host::thread_index
#define blockIdx cuda_on_host::block_index
#define blockDim cuda_on_host::block_size

inline void __syncthreads() {
  cuda_on_host::wait_for_block();
}
inline void __syncwarp() {
  const int nothing = 0;
  cuda_on_host::exchange(&nothing, sizeof nothing, 0);
}
template <class T>
T __shfl_xor_sync(unsigned, T value, int step) {
  return cuda_on_host::from_lane(value, static_cast<int>(threadIdx.x % 32) ^ step);
}
template <class T>
T __shfl_sync(unsigned, T value, int source) {
  return cuda_on_host::from_lane(value, source);
}
inline unsigned __ballot_sync(unsigned, bool predicate) {
  unsigned mask = predicate ? 1U << threadIdx.x % 32 : 0U;
  for (int step = 16; step > 0; step /= 2)
    mask |= __shfl_xor_sync(0, mask, step);
  return mask;
}
inline int __ffs(int x) {
  return __builtin_ffs(x);
}
template <class T>
T atomicAdd(T* to, T value) {
  return __atomic_fetch_add(to, value, __ATOMIC_RELAXED);
}
