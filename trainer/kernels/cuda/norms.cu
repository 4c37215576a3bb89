// RMSNorm of rows and of heads, and the ways back.
#include "trainer/kernels/cuda/columns.h"
#include "trainer/kernels/cuda/groups.h"
#include "trainer/kernels/cuda/operands.h"

namespace aha::cuda {
namespace {

/// Rows of which a block sums the derivatives of the weights.
constexpr Index kRowsOfABlock = 16;

/// Threads of a block that has a row of C elements, a group of N each or more.
template <int N>
int row_threads(Index C) {
  const Index threads = round_up(ceil_div(C, N), kWarp);
  return static_cast<int>(threads < 256 ? threads : 256);
}

AHA_DEVICE float inverse_rms(float squares, Index C, float eps) {
  return 1.0F / sqrtf(squares / static_cast<float>(C) + eps);
}

/// y [M, ld] = the norm of x, rounded to y's type. A block is a row, of which a thread keeps its first group and that group's
/// weights: of most rows there are no others. The order of a sum depends on N, which depends on C alone where rows begin at
/// multiples of 16 bytes: the weights may begin anywhere.
template <int N, class Element>
__global__ void norm_rows_groups(RmsNorm p, Element* y, Index ld) {
  const float* x = p.x + block_x() * p.C;
  const Index own = N * thread();
  const Index next = own + N * threads();
  Group<float, N> first{};
  Group<float, N> weights{};
  if (own < p.C) {
    first = group_at<N>(x + own);
    weights = group_anywhere<N>(p.w + own);
  }
  float squares = 0;
  const auto add_squares = [&](const Group<float, N>& group) {
    for (int k = 0; k < N; ++k)
      squares = fmaf(group.x[k], group.x[k], squares);
  };
  add_squares(first);
  for (Index i = next; i < p.C; i += N * threads())
    add_squares(group_at<N>(x + i));
  const float inv = inverse_rms(block_sum(squares, shared_memory<float>()), p.C, p.eps);
  const auto put = [&](Group<float, N> group, const Group<float, N>& w, Index i) {
    for (int k = 0; k < N; ++k)
      group.x[k] = group.x[k] * inv * w.x[k];
    put_group(group, y + block_x() * ld + i);
  };
  if (own < p.C) put(first, weights, own);
  for (Index i = next; i < p.C; i += N * threads())
    put(group_at<N>(x + i), group_anywhere<N>(p.w + i), i);
  if (p.inv_rms != nullptr && thread() == 0) p.inv_rms[block_x()] = inv;
}

/// dx of some rows, one after the other, and partial [blocks, C] = their sum of dy x inv_rms.
template <int N>
__global__ void norm_backward_groups(RmsNormBackward p, float* partial) {
  float* sums = partial + block_x() * p.C;
  const int C = static_cast<int>(p.C);
  const Index first = block_x() * kRowsOfABlock;
  const Index end = first + kRowsOfABlock < p.M ? first + kRowsOfABlock : p.M;
  for (Index row = first; row < end; ++row) {
    const float* dy = p.dy + row * p.C;
    const float* x = p.x + row * p.C;
    const float inv = p.inv_rms[row];
    float product = 0;
    for (int i = N * thread(); i < C; i += N * threads()) {
      const Group<float, N> d = group_at<N>(dy + i);
      const Group<float, N> normed = group_at<N>(x + i);
      const Group<float, N> w = group_anywhere<N>(p.w + i);
      for (int k = 0; k < N; ++k)
        product = fmaf(d.x[k] * w.x[k], normed.x[k] * inv, product);
    }
    const float mean = block_sum(product, shared_memory<float>()) / static_cast<float>(p.C);
    for (int i = N * thread(); i < C; i += N * threads()) {
      const Group<float, N> d = group_at<N>(dy + i);
      const Group<float, N> from = group_at<N>(x + i);
      const Group<float, N> w = group_anywhere<N>(p.w + i);
      Group<float, N> dx = group_at<N>(p.dx + row * p.C + i);
      Group<float, N> sum{};
      if (row > first) sum = group_at<N>(sums + i);
      for (int k = 0; k < N; ++k) {
        const float normed = from.x[k] * inv;
        dx.x[k] = fmaf(inv, d.x[k] * w.x[k] - normed * mean, dx.x[k]);
        sum.x[k] += d.x[k] * normed;
      }
      put_group(dx, p.dx + row * p.C + i);
      put_group(sum, sums + i);
    }
  }
}

/// One warp each.
Grid warps(Index count) {
  return {ceil_div(count, 4), 1, 4 * kWarp, 0};
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

}  // namespace

void norm_rows(const RmsNorm& p, const Operand& y) {
  with_groups<4>(are_groups<4>(p.C, {{p.x, p.C}, {y.data, y.ld}}), [&](auto group) {
    constexpr int N = group;
    with_elements(y.type, y.data, [&](auto* elements) {
      using Element = std::remove_pointer_t<decltype(elements)>;
      launch({p.M, 1, row_threads<N>(p.C), Index{kWarp} * 4}, norm_rows_groups<N, Element>, p,
             elements, y.ld);
    });
  });
}

void rms_norm(const Exec&, const RmsNorm& p) {
  norm_rows(p, {p.y, p.C, FloatType::F32});
}

void rms_norm_backward(const Exec&, const RmsNormBackward& p) {
  const Index blocks = ceil_div(p.M, kRowsOfABlock);
  auto* partial = scratch_of<float>(Scratch::Partial, blocks * p.C);
  const bool fours = are_groups<4>(p.C, {{p.dy, p.C}, {p.x, p.C}, {p.dx, p.C}});
  with_groups<4>(fours, [&](auto group) {
    constexpr int N = group;
    launch({blocks, 1, row_threads<N>(p.C), Index{kWarp} * 4}, norm_backward_groups<N>, p, partial);
  });
  add_parts(partial, blocks, p.C, p.dw);
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

}  // namespace aha::cuda
