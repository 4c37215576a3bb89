#pragma once
// Sums over rows, a column at a time: gradients of norms and biases. Rows are added in chunks of fixed size and
// the chunks in their order: the bits depend on nothing but the rows.
#include "trainer/kernels/cuda/device.h"
#include "trainer/kernels/cuda/gpu.h"

namespace aha::cuda {

constexpr Index kRowsOfAChunk = 64;

/// partial [chunks, N] = sums of term(row, column) over each chunk's rows.
template <class Term>
__global__ void chunk_sums(Term term, Index M, Index N, float* partial) {
  const Index column = block_y() * threads() + thread();
  if (column >= N) return;
  const Index first = block_x() * kRowsOfAChunk;
  const Index end = first + kRowsOfAChunk < M ? first + kRowsOfAChunk : M;
  float sum = 0;
  for (Index row = first; row < end; ++row)
    sum += term(row, column);
  partial[block_x() * N + column] = sum;
}

constexpr int kPartWarps = 32;

/// to [N] += the sum of partial [parts, N] over parts. A block has 32 columns, and its warps a stretch of the parts each,
/// whose sums are added in their order.
template <class = void>
__global__ void add_parts_columns(const float* partial, Index parts, Index N, float* to) {
  auto* sums = shared_memory<float>();  // [warps][lanes]
  const Index column = block_x() * kWarp + lane();
  const Index stretch = ceil_div(parts, kPartWarps);
  const Index first = warp() * stretch;
  const Index end = first + stretch < parts ? first + stretch : parts;
  float sum = 0;
  if (column < N)
    for (Index part = first; part < end; ++part)
      sum += partial[part * N + column];
  sums[thread()] = sum;
  __syncthreads();
  if (warp() != 0 || column >= N) return;
  for (int w = 1; w < kPartWarps; ++w)
    sum += sums[w * kWarp + lane()];
  to[column] += sum;
}

inline void add_parts(const float* partial, Index parts, Index N, float* to) {
  launch({ceil_div(N, kWarp), 1, kPartWarps * kWarp, Index{4} * kPartWarps * kWarp},
         add_parts_columns<>, partial, parts, N, to);
}

/// to [N] += the sums over M rows of term(row, column).
template <class Term>
void add_columns(const Term& term, Index M, Index N, float* to) {
  const Index chunks = ceil_div(M, kRowsOfAChunk);
  auto* partial = scratch_of<float>(Scratch::Partial, chunks * N);
  launch({chunks, ceil_div(N, 64), 64}, chunk_sums<Term>, term, M, N, partial);
  add_parts(partial, chunks, N, to);
}

}  // namespace aha::cuda
