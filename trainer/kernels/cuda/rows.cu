// Operations on rows: norms, biases, rotary embedding, SwiGLU, embedding.
#include "trainer/kernels/cuda/columns.h"
#include "trainer/kernels/cuda/numbers.h"

namespace aha::cuda {
namespace {

/// One block a row of C elements.
Grid a_row_each(Index M, Index C) {
  const Index threads = round_up(C / 4, kWarp);
  return {M, 1,
          static_cast<int>(threads < 32    ? 32
                           : threads > 256 ? 256
                                           : threads),
          Index{kWarp} * 4};
}

/// One warp each.
Grid warps(Index count) {
  return {ceil_div(count, 4), 1, 4 * kWarp, 0};
}

AHA_DEVICE float inverse_rms(float squares, Index C, float eps) {
  return 1.0F / sqrtf(squares / static_cast<float>(C) + eps);
}

__global__ void rms_norm_rows(RmsNorm p) {
  const float* x = p.x + block_x() * p.C;
  float squares = 0;
  for (Index i = thread(); i < p.C; i += threads())
    squares = fmaf(x[i], x[i], squares);
  const float inv = inverse_rms(block_sum(squares, shared_memory<float>()), p.C, p.eps);
  for (Index i = thread(); i < p.C; i += threads())
    p.y[block_x() * p.C + i] = x[i] * inv * p.w[i];
  if (p.inv_rms != nullptr && thread() == 0) p.inv_rms[block_x()] = inv;
}

__global__ void rms_norm_backward_rows(RmsNormBackward p) {
  const Index row = block_x() * p.C;
  const float inv = p.inv_rms[block_x()];
  float product = 0;
  for (Index i = thread(); i < p.C; i += threads())
    product = fmaf(p.dy[row + i] * p.w[i], p.x[row + i] * inv, product);
  const float mean = block_sum(product, shared_memory<float>()) / static_cast<float>(p.C);
  for (Index i = thread(); i < p.C; i += threads()) {
    const float d = p.dy[row + i] * p.w[i] - p.x[row + i] * inv * mean;
    p.dx[row + i] = fmaf(inv, d, p.dx[row + i]);
  }
}

struct NormWeightTerm {
  const float* dy;
  const float* x;
  const float* inv_rms;
  Index C;

  AHA_DEVICE float operator()(Index row, Index column) const {
    return dy[row * C + column] * (x[row * C + column] * inv_rms[row]);
  }
};

struct BiasTerm {
  const float* dy;
  Index N;

  AHA_DEVICE float operator()(Index row, Index column) const { return dy[row * N + column]; }
};

__global__ void add_bias_rows(const float* bias, Index M, Index N, float* y) {
  const Index i = element();
  if (i < M * N) y[i] += bias[i % N];
}

__global__ void head_norm_warps(HeadNorm p) {
  const Index heads = p.H + p.Hk;
  const Index item = block_x() * 4 + warp();
  if (item >= p.M * heads) return;
  const Index head = item % heads;
  float* x = p.qkv + (item / heads * (heads + p.Hk) + head) * p.D;
  const float* w = p.w + (head < p.H ? 0 : p.D);
  float squares = 0;
  for (Index d = lane(); d < p.D; d += kWarp)
    squares = fmaf(x[d], x[d], squares);
  const float inv = inverse_rms(lanes_sum(squares), p.D, p.eps);
  for (Index d = lane(); d < p.D; d += kWarp) {
    if (p.raw != nullptr) p.raw[item * p.D + d] = x[d];
    x[d] = x[d] * inv * w[d];
  }
  if (p.inv_rms != nullptr && lane() == 0) p.inv_rms[item] = inv;
}

__global__ void head_norm_backward_warps(HeadNormBackward p) {
  const Index heads = p.H + p.Hk;
  const Index item = block_x() * 4 + warp();
  if (item >= p.M * heads) return;
  const Index head = item % heads;
  float* d = p.dqkv + (item / heads * (heads + p.Hk) + head) * p.D;
  const float* raw = p.raw + item * p.D;
  const float* w = p.w + (head < p.H ? 0 : p.D);
  const float inv = p.inv_rms[item];
  float product = 0;
  for (Index i = lane(); i < p.D; i += kWarp)
    product = fmaf(d[i] * w[i], raw[i] * inv, product);
  const float mean = lanes_sum(product) / static_cast<float>(p.D);
  for (Index i = lane(); i < p.D; i += kWarp)
    d[i] = inv * (d[i] * w[i] - raw[i] * inv * mean);
}

/// Rows are (row, head) pairs of q's heads or of k's.
struct HeadNormTerm {
  HeadNormBackward p;
  Index first_head, heads;

  AHA_DEVICE float operator()(Index row, Index column) const {
    const Index r = row / heads;
    const Index head = first_head + row % heads;
    const Index item = r * (p.H + p.Hk) + head;
    return p.dqkv[(r * (p.H + 2 * p.Hk) + head) * p.D + column] *
           (p.raw[item * p.D + column] * p.inv_rms[item]);
  }
};

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

__global__ void swiglu_elements(Swiglu p) {
  const Index i = element();
  if (i >= p.M * p.F) return;
  const float* gate = p.gate_up + i / p.F * 2 * p.F + i % p.F;
  const float g = gate[0];
  p.y[i] = g * sigmoid(g) * gate[p.F];
}

/// A thread reads all that it needs before it writes: the results may stand where the inputs did.
__global__ void swiglu_backward_elements(SwigluBackward p) {
  const Index i = element();
  if (i >= p.M * p.F) return;
  const Index at = i / p.F * 2 * p.F + i % p.F;
  const float g = p.gate_up[at];
  const float up = p.gate_up[at + p.F];
  const float d = p.dy[i];
  const float s = sigmoid(g);
  const float silu = g * s;
  p.dgate_up[at] = d * up * (s * fmaf(g, 1.0F - s, 1.0F));
  p.dgate_up[at + p.F] = d * silu;
  if (p.y != nullptr) p.y[i] = silu * up;
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

void rms_norm(const Exec&, const RmsNorm& p) {
  launch(a_row_each(p.M, p.C), rms_norm_rows, p);
}

void rms_norm_backward(const Exec&, const RmsNormBackward& p) {
  launch(a_row_each(p.M, p.C), rms_norm_backward_rows, p);
  add_columns(NormWeightTerm{p.dy, p.x, p.inv_rms, p.C}, p.M, p.C, p.dw);
}

void add_bias(const Exec&, const float* bias, Index M, Index N, float* y) {
  launch(over(M * N), add_bias_rows, bias, M, N, y);
}

void add_bias_backward(const Exec&, const float* dy, Index M, Index N, float* dbias) {
  add_columns(BiasTerm{dy, N}, M, N, dbias);
}

void head_norm(const Exec&, const HeadNorm& p) {
  launch(warps(p.M * (p.H + p.Hk)), head_norm_warps, p);
}

void head_norm_backward(const Exec&, const HeadNormBackward& p) {
  // weights first: dqkv is overwritten
  add_columns(HeadNormTerm{p, 0, p.H}, p.M * p.H, p.D, p.dw);
  add_columns(HeadNormTerm{p, p.H, p.Hk}, p.M * p.Hk, p.D, p.dw + p.D);
  launch(warps(p.M * (p.H + p.Hk)), head_norm_backward_warps, p);
}

void rope(const Exec&, const Rope& p) {
  const Index half = (p.rotary == 0 ? p.D : p.rotary) / 2;
  launch(over(p.M * (p.H + p.Hk) * half), rope_pairs, p, half);
}

void swiglu(const Exec&, const Swiglu& p) {
  launch(over(p.M * p.F), swiglu_elements, p);
}

void swiglu_backward(const Exec&, const SwigluBackward& p) {
  launch(over(p.M * p.F), swiglu_backward_elements, p);
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

}  // namespace aha::cuda
