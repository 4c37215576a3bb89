// Operations on rows: biases, rotary embedding, embedding, rounding.
#include "trainer/kernels/cuda/columns.h"
#include "trainer/kernels/cuda/groups.h"

namespace aha::cuda {
namespace {

struct BiasTerm {
  const float* dy;
  Index N;

  AHA_DEVICE float operator()(Index row, Index column) const { return dy[row * N + column]; }
};

__global__ void add_bias_rows(const float* bias, Index M, Index N, float* y) {
  const Index i = element();
  if (i < M * N) y[i] += bias[i % N];
}

__global__ void rope_pairs(Rope p, Index half) {
  const Index item = element();
  const Index heads = p.H + p.Hk;
  if (item >= p.M * heads * half) return;
  const Index i = item % half;
  const Index head = item / half % heads;
  const Index row = item / half / heads;
  float* x = p.qkv + (row * (heads + p.Hk) + head) * p.D + i;
  const float c = p.cos[p.positions[row] * half + i];
  const float s =
      p.inverse ? -p.sin[p.positions[row] * half + i] : p.sin[p.positions[row] * half + i];
  const float a = x[0];
  const float b = x[half];
  x[0] = fmaf(a, c, -(b * s));
  x[half] = fmaf(b, c, a * s);
}

template <int N, class Element>
__global__ void narrow_groups(const float* x, Index ld, Index columns, Element* to) {
  const Index column = group_column<N>();
  if (column >= columns) return;
  put_group(group_at<N>(x + block_x() * ld + column), to + block_x() * padded(columns) + column);
}

template <class Element>
__global__ void embed_elements(const Element* table, const std::int64_t* ids, Index M, Index C,
                               float* out) {
  const Index i = element();
  if (i < M * C) out[i] = widened(table[ids[i / C] * C + i % C]);
}

/// A block is a row. The first row of an id adds those of all its rows, in their order.
__global__ void embed_backward_rows(const float* dout, const std::int64_t* ids, Index M, Index C,
                                    float* dtable) {
  auto* memory = shared_memory<unsigned>();
  const std::int64_t id = ids[block_x()];
  unsigned earlier = 0;
  for (Index r = thread(); r < block_x(); r += threads())
    earlier |= ids[r] == id ? 1U : 0U;
  if (block_sum(earlier, memory) != 0) return;
  for (Index first = block_x(); first < M; first += threads()) {
    const Index r = first + thread();
    const unsigned same = __ballot_sync(kAllLanes, r < M && ids[r] == id);
    __syncthreads();
    if (lane() == 0) memory[warp()] = same;
    __syncthreads();
    for (Index w = 0; w < threads() / kWarp; ++w)
      for (unsigned rows = memory[w]; rows != 0; rows &= rows - 1) {
        const Index from = first + w * kWarp + __ffs(static_cast<int>(rows)) - 1;
        for (Index c = thread(); c < C; c += threads())
          dtable[id * C + c] += dout[from * C + c];
      }
  }
}

}  // namespace

void add_bias(const Exec&, const float* bias, Index M, Index N, float* y) {
  launch(over(M * N), add_bias_rows, bias, M, N, y);
}

void add_bias_backward(const Exec&, const float* dy, Index M, Index N, float* dbias) {
  add_columns(BiasTerm{dy, N}, M, N, dbias);
}

void rope(const Exec&, const Rope& p) {
  const Index half = (p.rotary == 0 ? p.D : p.rotary) / 2;
  launch(over(p.M * (p.H + p.Hk) * half), rope_pairs, p, half);
}

void embed(const Exec&, const Weight& table, const std::int64_t* ids, Index M, Index C,
           float* out) {
  with_rows(table, [&](const auto* rows) {
    using Element = std::remove_cv_t<std::remove_pointer_t<decltype(rows)>>;
    launch(over(M * C), embed_elements<Element>, rows, ids, M, C, out);
  });
}

void embed_backward(const Exec&, const float* dout, const std::int64_t* ids, Index M, Index C,
                    float* dtable) {
  launch({M, 1, 128, Index{kWarp} * 4}, embed_backward_rows, dout, ids, M, C, dtable);
}

void narrow_rows(const float* x, Index ld, Index M, Index columns, FloatType type, void* to) {
  with_groups<8>(are_groups<8>(columns, {{x, ld}}), [&](auto group) {
    constexpr int N = group;
    with_elements(type, to, [&](auto* elements) {
      using Element = std::remove_pointer_t<decltype(elements)>;
      launch(over_groups<N>(M, columns), narrow_groups<N, Element>, x, ld, columns, elements);
    });
  });
}

}  // namespace aha::cuda
