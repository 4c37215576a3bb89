#pragma once
// What the sources of this folder are written in: CUDA, as far as they need it. nvcc compiles them for GPUs; with
// AHA_CUDA_ON_HOST a C++ compiler compiles the same text for tests, with a header that runs a block's threads
// as fibers.
//
// Rules: kernels are started by `launch` alone; blocks are whole warps; shared memory comes from
// `shared_memory`; every lane of a warp takes part in a shuffle; products are contracted only by fmaf
// (-fmad=false). A kernel's parameters are device memory and numbers.
#ifdef AHA_CUDA_ON_HOST
#include <cuda_on_host.h>
#else
#include <cuda_runtime.h>
#endif

#include "trainer/kernels/ops.h"

namespace aha::cuda {

#define AHA_DEVICE __device__ __forceinline__
/// AHA_BLOCKS: a kernel's bounds: threads of a block, and the blocks of a multiprocessor that its registers are to leave room
/// for. AHA_UNROLL: of a loop over what a lane holds in registers.
#ifdef AHA_CUDA_ON_HOST
#define AHA_BLOCKS(threads, blocks)
#define AHA_UNROLL
#else
#define AHA_BLOCKS(threads, blocks) __launch_bounds__(threads, blocks)
#define AHA_UNROLL _Pragma("unroll")
#endif

constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xffffffffU;

constexpr Index kSharedBytes = 99 << 10;  ///< that a block may have, on every GPU from sm_80 on
constexpr Index kPlainSharedBytes = 48 << 10;  ///< without being asked for

/// A launch: blocks, threads of each (a multiple of 32), bytes of shared memory (at most kSharedBytes).
struct Grid {
  Index x;
  Index y = 1;
  int threads = 128;
  Index shared_bytes = 0;
};

#ifdef AHA_CUDA_ON_HOST
template <class... Parameters, class... Arguments>
void launch(const Grid& grid, void (*kernel)(Parameters...), const Arguments&... arguments) {
  if (grid.x <= 0 || grid.y <= 0) return;
  (cuda_on_host::require_no_host_pointer(arguments), ...);
  cuda_on_host::submit([grid, kernel, ... parameters = static_cast<Parameters>(arguments)] {
    cuda_on_host::run({grid.x, grid.y, grid.threads, grid.shared_bytes},
                      [&] { kernel(parameters...); });
  });
}

template <class T>
AHA_DEVICE T* shared_memory() {
  return static_cast<T*>(cuda_on_host::shared_memory());
}
#else
/// Everything is asked for in the order of this stream.
cudaStream_t stream();
/// Reports what a call of CUDA returned; `what` names the call.
void require(cudaError_t status, const char* what);

template <class... Parameters, class... Arguments>
void launch(const Grid& grid, void (*kernel)(Parameters...), const Arguments&... arguments) {
  if (grid.x <= 0 || grid.y <= 0) return;
  if (grid.shared_bytes > kPlainSharedBytes)
    require(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                 static_cast<int>(grid.shared_bytes)),
            "a kernel's shared memory");
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(static_cast<unsigned>(grid.x), static_cast<unsigned>(grid.y));
  config.blockDim = dim3(static_cast<unsigned>(grid.threads));
  config.dynamicSmemBytes = static_cast<std::size_t>(grid.shared_bytes);
  config.stream = stream();
  require(cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...),
          "a kernel's start");
}

/// The block's dynamic shared memory.
template <class T>
AHA_DEVICE T* shared_memory() {
  extern __shared__ __align__(16) unsigned char aha_shared[];
  return reinterpret_cast<T*>(aha_shared);
}
#endif

constexpr Index ceil_div(Index a, Index b) {
  return (a + b - 1) / b;
}

/// Elements from row to row of a product's operand that has `columns`: cuBLAS is fast where rows begin at
/// multiples of 16 bytes, whatever the width of the model or of its vocabulary.
__host__ __device__ constexpr Index padded(Index columns) {
  return (columns + 7) / 8 * 8;
}

AHA_DEVICE int thread() {
  return static_cast<int>(threadIdx.x);
}
AHA_DEVICE int threads() {
  return static_cast<int>(blockDim.x);
}
AHA_DEVICE int lane() {
  return thread() % kWarp;
}
AHA_DEVICE int warp() {
  return thread() / kWarp;
}
AHA_DEVICE Index block_x() {
  return static_cast<Index>(blockIdx.x);
}
AHA_DEVICE Index block_y() {
  return static_cast<Index>(blockIdx.y);
}
/// Number of this thread in a launch over elements.
AHA_DEVICE Index element() {
  return block_x() * threads() + thread();
}
/// A launch of one thread an element.
inline Grid over(Index elements, int threads = 256) {
  return {ceil_div(elements, threads), 1, threads, 0};
}

/// Sum over `Lanes` neighbouring lanes, in every one of them: lanes i and i + Lanes / 2 first.
template <int Lanes = kWarp, class T>
AHA_DEVICE T lanes_sum(T x) {
  for (int step = Lanes / 2; step > 0; step /= 2)
    x += __shfl_xor_sync(kAllLanes, x, step);
  return x;
}
template <int Lanes = kWarp>
AHA_DEVICE float lanes_max(float x) {
  for (int step = Lanes / 2; step > 0; step /= 2) {
    const float other = __shfl_xor_sync(kAllLanes, x, step);
    x = x > other ? x : other;
  }
  return x;
}

/// Sum over the block, in every thread; `memory` holds one value a warp. Warps are added in their order.
template <class T>
AHA_DEVICE T block_sum(T x, T* memory) {
  x = lanes_sum(x);
  __syncthreads();  // an earlier use of the memory is over
  if (lane() == 0) memory[warp()] = x;
  __syncthreads();
  T sum = memory[0];
  for (int w = 1; w < threads() / kWarp; ++w)
    sum += memory[w];
  return sum;
}
AHA_DEVICE float block_max(float x, float* memory) {
  x = lanes_max(x);
  __syncthreads();
  if (lane() == 0) memory[warp()] = x;
  __syncthreads();
  float top = memory[0];
  for (int w = 1; w < threads() / kWarp; ++w)
    top = memory[w] > top ? memory[w] : top;
  return top;
}

}  // namespace aha::cuda
