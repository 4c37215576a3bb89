#pragma once
// The softmax of a row of logits by one block of threads, which reads them once: sums of exponentials are first taken around
// the largest logit of a few (Milakov and Gimelshein 2018), then brought to the row's. Their order is fixed: no bit depends on
// the number of threads.
#include <cfloat>

#include "trainer/kernels/cuda/device.h"
#include "trainer/kernels/cuda/groups.h"

namespace aha::cuda {

constexpr int kRowThreads = 512;

struct RowSums {
  float top;   ///< largest scaled logit
  double sum;  ///< of exp(s - top)
  float log_sum;
  float entropy;
};

/// A block's shared memory. `sums` [ceil(V / kLogitBlock)] stay until the next row.
struct RowMemory {
  double* sums;
  double* products;
  double* totals;  ///< [2]
  float* tops;  ///< [ceil(V / kLogitBlock) + 1], the last of the row; then shares, exp(top - that)
  float* reduced;  ///< [kWarp]
};

__host__ __device__ inline Index row_bytes(Index V) {
  const Index blocks = ceil_div(V, kLogitBlock);
  return 8 * (2 * blocks + 2) + 4 * (blocks + 1 + kWarp);
}

AHA_DEVICE RowMemory row_memory(Index V) {
  const Index blocks = ceil_div(V, kLogitBlock);
  RowMemory m;
  m.sums = shared_memory<double>();
  m.products = m.sums + blocks;
  m.totals = m.products + blocks;
  m.tops = reinterpret_cast<float*>(m.totals + 2);
  m.reduced = m.tops + blocks + 1;
  return m;
}

/// A lane's part of a block of elements: four from 4 lane on, and so on every 64. Rows begin at multiples of 16 bytes.
constexpr int kLaneElements = kLogitBlock / 16;

__host__ __device__ constexpr Index lane_offset(int i) {
  return i / 4 * 64 + i % 4;
}

/// s = z times inv_temperature of a lane's elements, the first of which is z[0]; there are `left` from it on. What is not
/// there weighs nothing.
AHA_DEVICE void load_scaled(const float* z, Index left, float inv_temperature,
                            float (&s)[kLaneElements]) {
  if (left > lane_offset(kLaneElements - 1)) {
    Group<float, 4> fours[kLaneElements / 4];
    AHA_UNROLL
    for (int i = 0; i < kLaneElements / 4; ++i)  // all are asked for before the first is needed
      fours[i] = group_at<4>(z + lane_offset(4 * i));
    AHA_UNROLL
    for (int i = 0; i < kLaneElements; ++i)
      s[i] = fours[i / 4].x[i % 4] * inv_temperature;
    return;
  }
  AHA_UNROLL
  for (int i = 0; i < kLaneElements; ++i)
    s[i] = lane_offset(i) < left ? z[lane_offset(i)] * inv_temperature : -FLT_MAX;
}

/// Of a block of elements, in each of its sixteen lanes.
struct BlockSums {
  float top, sum, products;  ///< sums of exp(s - top), and of that times s - top
};

/// s becomes exp(s - top). Few are summed in f32; the sums are added in double.
AHA_DEVICE BlockSums block_sums(float (&s)[kLaneElements]) {
  float top = -FLT_MAX;  // of a block of -inf, too
  AHA_UNROLL
  for (int i = 0; i < kLaneElements; ++i)
    top = fmaxf(top, s[i]);
  BlockSums block{lanes_max<16>(top), 0, 0};
  AHA_UNROLL
  for (int i = 0; i < kLaneElements; ++i) {
    const float d = s[i] - block.top;
    s[i] = exp_below_zero(d);
    block.sum += s[i];
    block.products = fmaf(s[i], d, block.products);
  }
  block.sum = lanes_sum<16>(block.sum);
  block.products = lanes_sum<16>(block.products);
  return block;
}

/// The sums of blocks -> those of the row, by one warp; `sums` are brought to the row's top, `tops` become shares.
AHA_DEVICE void join_blocks(Index blocks, const RowMemory& m) {
  float top = -FLT_MAX;
  for (Index block = lane(); block < blocks; block += kWarp)
    top = fmaxf(top, m.tops[block]);
  top = lanes_max(top);
  double sum = 0;
  double products = 0;
  for (Index block = lane(); block < blocks; block += kWarp) {
    const float own = m.tops[block];
    const double share = static_cast<double>(m.tops[block] = exp_below_zero(own - top));
    const double shift = static_cast<double>(own) - static_cast<double>(top);
    products += share * (m.products[block] + shift * m.sums[block]);
    sum += m.sums[block] *= share;
  }
  sum = lanes_sum(sum);
  products = lanes_sum(products);
  if (lane() != 0) return;
  m.totals[0] = sum;
  m.totals[1] = products;
  m.tops[blocks] = top;
}

struct SeeNothing {
  AHA_DEVICE void operator()(Index, const float (&)[kLaneElements]) const {}
};

/// Of z [V] times inv_temperature, in every thread. see(at, exponentials) is given those of a lane, around their block's top.
template <class See = SeeNothing>
AHA_DEVICE RowSums row_sums(const float* z, Index V, float inv_temperature, const RowMemory& m,
                            const See& see = {}) {
  const Index blocks = ceil_div(V, kLogitBlock);
  for (Index first = 0; first < blocks; first += threads() / 16) {
    const Index block = first + thread() / 16;
    const Index at = block * kLogitBlock + thread() % 16 * 4;
    float scaled[kLaneElements];
    load_scaled(z + at, V - at, inv_temperature, scaled);
    const BlockSums sums = block_sums(scaled);
    see(at, scaled);
    if (block < blocks && thread() % 16 == 0) {
      m.tops[block] = sums.top;
      m.sums[block] = static_cast<double>(sums.sum);
      m.products[block] = static_cast<double>(sums.products);
    }
  }
  __syncthreads();
  if (warp() == 0) join_blocks(blocks, m);
  __syncthreads();
  RowSums r;
  r.top = m.tops[blocks];
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

/// Calls body(chunk, first row, logits) for the task's rows, chunk_rows of them at most. The chunk is a task of its own but for
/// what body brings to its first row.
template <class Task, class Body>
void with_logits(const Task& p, const Body& body) {
  const Index most = chunk_rows(p.V);
  const Index width = logits_width(p.V);
  for (Index first = 0; first < p.M; first += most) {
    Task chunk = p;
    chunk.M = p.M - first < most ? p.M - first : most;
    chunk.h += first * p.C;
    auto* z = scratch_of<float>(Scratch::Logits, chunk.M * width);
    linear({}, {chunk.h, p.C, p.w, z, width, chunk.M, p.V, p.C});
    body(chunk, first, z);
  }
}

}  // namespace aha::cuda
