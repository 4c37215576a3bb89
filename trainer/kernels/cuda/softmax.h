#pragma once
// The softmax of a row of logits by one block of threads, with the sums of trainer/kernels/head_cpu.cpp in their
// order: equal logits give equal bits.
#include "trainer/kernels/cuda/device.h"
#include "trainer/kernels/cuda/mma.h"

namespace aha::cuda {

/// Elements that are summed in f32; block sums are added in double.
constexpr Index kSumBlock = 256;
constexpr int kRowThreads = 512;

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

/// Four logits in one access; rows begin at multiples of 16 bytes.
struct alignas(16) FourLogits {
  float z[4];
};

/// The largest of z [V], in every thread.
AHA_DEVICE float row_max(const float* z, Index V, float* memory) {
  const auto* fours = reinterpret_cast<const FourLogits*>(z);
  float top = -INFINITY;
  for (Index i = thread(); i < V / 4; i += threads()) {
    const FourLogits four = fours[i];
    top = fmaxf(top, fmaxf(fmaxf(four.z[0], four.z[1]), fmaxf(four.z[2], four.z[3])));
  }
  for (Index i = V / 4 * 4 + thread(); i < V; i += threads())
    top = fmaxf(top, z[i]);
  return block_max(top, memory);
}

/// A lane's chains over a block of elements: exp(s - top), and that times s - top.
struct LaneSums {
  float sum = 0;
  float products = 0;

  /// z: the lane's first element; `count` of 16 apart.
  template <bool kWhole>
  AHA_DEVICE void add(const float* z, Index count, float inv_temperature, float top) {
    constexpr int kEach = kSumBlock / 16;
    float part[kEach];
    AHA_UNROLL
    for (int k = 0; k < kEach; ++k)  // all are asked for before the first is needed
      part[k] = kWhole || k < count ? z[16 * k] : 0.0F;
    AHA_UNROLL
    for (int k = 0; k < kEach; ++k) {
      const float d = part[k] * inv_temperature - top;
      const float e = kWhole || k < count ? exp_of(d) : 0.0F;
      sum += e;
      products = kWhole || k < count ? fmaf(e, d, products) : products;
    }
  }
};

/// Of z [V] times inv_temperature, in every thread.
AHA_DEVICE RowSums row_sums(const float* z, Index V, float inv_temperature, const RowMemory& m) {
  const Index blocks = ceil_div(V, kSumBlock);
  RowSums r;
  r.top = row_max(z, V, m.reduced) * inv_temperature;
  // sixteen lanes a block of elements, lane = index mod 16
  for (Index first = 0; first < blocks; first += threads() / 16) {
    const Index block = first + thread() / 16;
    const Index at = block * kSumBlock + thread() % 16;
    LaneSums lane;
    if (at + kSumBlock - 16 < V)
      lane.add<true>(z + at, 0, inv_temperature, r.top);
    else if (at < V)
      lane.add<false>(z + at, ceil_div(V - at, 16), inv_temperature, r.top);
    const float sum = lanes_sum<16>(lane.sum);
    const float products = lanes_sum<16>(lane.products);
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
