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

template <class = void>
__global__ void add_chunks(const float* partial, Index chunks, Index N, float* to) {
  const Index column = element();
  if (column >= N) return;
  float sum = 0;
  for (Index chunk = 0; chunk < chunks; ++chunk)
    sum += partial[chunk * N + column];
  to[column] += sum;
}

/// to [N] += the sums over M rows of term(row, column).
template <class Term>
void add_columns(const Term& term, Index M, Index N, float* to) {
  const Index chunks = ceil_div(M, kRowsOfAChunk);
  auto* partial = scratch_of<float>(Scratch::Partial, chunks * N);
  launch({chunks, ceil_div(N, 64), 64}, chunk_sums<Term>, term, M, N, partial);
  launch(over(N, 64), add_chunks<>, partial, chunks, N, to);
}

}  // namespace aha::cuda
