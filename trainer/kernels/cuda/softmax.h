#pragma once
// The softmax of a row of logits by one block of threads, with the sums of trainer/kernels/head_cpu.cpp in their
// order: equal logits give equal bits.
#include "trainer/kernels/cuda/device.h"
#include "trainer/kernels/cuda/numbers.h"

namespace aha::cuda {

/// Elements that are summed in f32; block sums are added in double.
constexpr Index kSumBlock = 256;
constexpr int kRowThreads = 256;

struct RowSums {
  float top;   ///< largest scaled logit
  double sum;  ///< of exp(s - top)
  float log_sum;
  float entropy;
};

/// A block's shared memory. `sums` [ceil(V / kSumBlock)] stay until the next row.
struct RowMemory {
  double* sums;
  double* products;
  double* totals;  ///< [2]
  float* reduced;  ///< [kWarp]
};

__host__ __device__ inline Index row_bytes(Index V) {
  return 8 * (2 * ceil_div(V, kSumBlock) + 2) + 4 * kWarp;
}

AHA_DEVICE RowMemory row_memory(Index V) {
  const Index blocks = ceil_div(V, kSumBlock);
  RowMemory m;
  m.sums = shared_memory<double>();
  m.products = m.sums + blocks;
  m.totals = m.products + blocks;
  m.reduced = reinterpret_cast<float*>(m.totals + 2);
  return m;
}

/// Of z [V] times inv_temperature, in every thread.
AHA_DEVICE RowSums row_sums(const float* z, Index V, float inv_temperature, const RowMemory& m) {
  const Index blocks = ceil_div(V, kSumBlock);
  float top = -INFINITY;
  for (Index i = thread(); i < V; i += threads()) {
    const float s = z[i] * inv_temperature;
    top = top > s ? top : s;
  }
  RowSums r;
  r.top = block_max(top, m.reduced);
  // sixteen lanes a block of elements, lane = index mod 16
  for (Index first = 0; first < blocks; first += threads() / 16) {
    const Index block = first + thread() / 16;
    float sum = 0;
    float products = 0;
    for (Index k = 0; k < kSumBlock / 16; ++k) {
      const Index i = block * kSumBlock + 16 * k + thread() % 16;
      if (i >= V) continue;
      const float d = z[i] * inv_temperature - r.top;
      const float e = exp_of(d);
      sum += e;
      products = fmaf(e, d, products);
    }
    sum = lanes_sum<16>(sum);
    products = lanes_sum<16>(products);
    if (block < blocks && thread() % 16 == 0) {
      m.sums[block] = static_cast<double>(sum);
      m.products[block] = static_cast<double>(products);
    }
  }
  __syncthreads();
  if (thread() % kWarp == 0 && warp() < 2) {  // one chain each, side by side
    const double* terms = warp() == 0 ? m.sums : m.products;
    double total = 0;
    for (Index block = 0; block < blocks; ++block)
      total += terms[block];
    m.totals[warp()] = total;
  }
  __syncthreads();
  r.sum = m.totals[0];
  r.log_sum = log_of(static_cast<float>(r.sum));
  r.entropy = r.log_sum - static_cast<float>(m.totals[1] / r.sum);
  return r;
}

AHA_DEVICE float logprob_of(const RowSums& r, float z, float inv_temperature) {
  return (z * inv_temperature - r.top) - r.log_sum;
}

/// Distance between rows of logits.
__host__ __device__ constexpr Index logits_width(Index V) {
  return padded(V);
}

/// Rows of logits that are held at a time.
constexpr Index chunk_rows(Index V) {
  return rows_of_logits(logits_width(V));
}

}  // namespace aha::cuda
