// dk and dv of attention on tensor cores: what part_grads of attention_backward.cu computes, for the 16 positions of a
// key block and 16 queries of a part at a time. p and ds are rounded to bf16 as operands, as are q, k, v and dout; all
// sums are f32.
#include "trainer/kernels/cuda/attention_tiles.h"

namespace aha::cuda {
namespace {

/// A query of a part: where its vectors are, and what its derivatives need.
struct PartQuery {
  const float *q, *dout;
  float lse, delta;
  Index position;  ///< below 0: there is none
};

template <int D>
AHA_DEVICE PartQuery part_query(const AttentionBackward& p, const KvPart& part, const float* delta,
                                Index item) {
  const Index group = p.H / p.kv.Hk;
  const Index row = part.first_row + item / group;
  if (row >= part.end_row) return {p.qkv, p.dout, 0, 0, -1};
  const Index head = block_y() * group + item % group;
  return {p.qkv + row * (p.H + 2 * p.kv.Hk) * D + head * D, p.dout + (row * p.H + head) * D,
          p.lse[row * p.H + head], delta[row * p.H + head], p.rows.positions[row]};
}

/// Shared memory: keys and values [16][D] as bf16, then sums dk and dv [16][D].
Index part_bytes(Index D) {
  return 4 * kKvBlock * tile_stride(D) + 8 * kKvBlock * D;
}

/// The lane's part of 16 positions [D] as the left operand of a product.
AHA_DEVICE void left_at(const Bf16* rows, Index stride, int k, std::uint32_t (&to)[4]) {
  const Bf16* at = rows + lane() / 4 * stride + 16 * k + 2 * (lane() % 4);
  to[0] = pair_at(at);
  to[1] = pair_at(at + 8 * stride);
  to[2] = pair_at(at + 8);
  to[3] = pair_at(at + 8 * stride + 8);
}

/// p and ds of the part's positions, which are the rows, with 16 queries from `first` on, as left operands.
template <int D>
AHA_DEVICE void part_slopes(const AttentionBackward& p, const KvPart& part, const float* delta,
                            Index first, const Bf16* keys, std::uint32_t (&weights)[4],
                            std::uint32_t (&slopes)[4]) {
  const float scale = scale_of(D);
  const Bf16* values = keys + kKvBlock * tile_stride(D);
  const int q = 2 * (lane() % 4);
  AHA_UNROLL
  for (int n = 0; n < 2; ++n) {
    const PartQuery column = part_query<D>(p, part, delta, first + 8 * n + lane() / 4);
    const bool there = column.position >= 0;
    float score[4], product[4];
    clear(score);
    clear(product);
    AHA_UNROLL
    for (int k = 0; k < D / 16; ++k) {
      std::uint32_t left[4];
      const float* x = column.q + 16 * k + q;
      left_at(keys, tile_stride(D), k, left);
      mma(score, left, {there ? bf16_pair(x[0], x[1]) : 0, there ? bf16_pair(x[8], x[9]) : 0});
      const float* y = column.dout + 16 * k + q;
      left_at(values, tile_stride(D), k, left);
      mma(product, left, {there ? bf16_pair(y[0], y[1]) : 0, there ? bf16_pair(y[8], y[9]) : 0});
    }
    float weight[4], slope[4];
    for (int i = 0; i < 4; ++i) {
      const PartQuery query = part_query<D>(p, part, delta, first + 8 * n + q + i % 2);
      const Index position = part.index * kKvBlock + lane() / 4 + i / 2 * 8;
      const bool looks = position <= query.position;  // else keys and values may be anything
      weight[i] = looks ? exp_of(score[i] * scale - query.lse) : 0.0F;
      slope[i] = looks ? weight[i] * (product[i] - query.delta) * scale : 0.0F;
    }
    weights[2 * n] = bf16_pair(weight[0], weight[1]);
    weights[2 * n + 1] = bf16_pair(weight[2], weight[3]);
    slopes[2 * n] = bf16_pair(slope[0], slope[1]);
    slopes[2 * n + 1] = bf16_pair(slope[2], slope[3]);
  }
}

/// Adds what 16 queries from `first` on give.
template <int D>
AHA_DEVICE void take_queries(const AttentionBackward& p, const KvPart& part, const float* delta,
                             Index first, const Bf16* keys, float (&dk)[D / 8][4],
                             float (&dv)[D / 8][4]) {
  std::uint32_t weights[4], slopes[4];
  part_slopes<D>(p, part, delta, first, keys, weights, slopes);
  PartQuery query[4];  // of the right operands' rows
  for (int i = 0; i < 4; ++i)
    query[i] = part_query<D>(p, part, delta, first + 2 * (lane() % 4) + i % 2 + i / 2 * 8);
  AHA_UNROLL
  for (int d = 0; d < D / 8; ++d) {
    const int column = 8 * d + lane() / 4;
    mma(dv[d], weights,
        {bf16_pair(query[0].dout[column], query[1].dout[column]),
         bf16_pair(query[2].dout[column], query[3].dout[column])});
    mma(dk[d], slopes,
        {bf16_pair(query[0].q[column], query[1].q[column]),
         bf16_pair(query[2].q[column], query[3].q[column])});
  }
}

/// sums [dk, dv][16][D] = the warps' sums, added in their order.
template <int D>
AHA_DEVICE void add_warps(const float (&dk)[D / 8][4], const float (&dv)[D / 8][4], float* sums) {
  for (int w = 0; w < kAttentionWarps; ++w) {
    if (warp() == w) {
      AHA_UNROLL
      for (int d = 0; d < D / 8; ++d)
        for (int i = 0; i < 4; ++i) {
          float* at = sums + (lane() / 4 + i / 2 * 8) * D + 8 * d + 2 * (lane() % 4) + i % 2;
          at[0] = w == 0 ? dk[d][i] : at[0] + dk[d][i];
          at[kKvBlock * D] = w == 0 ? dv[d][i] : at[kKvBlock * D] + dv[d][i];
        }
    }
    __syncthreads();
  }
}

/// partial [part][Hk][K: D x 16 | V: 16 x D] = the part's sums; a warp takes every fourth tile of 16 queries.
template <int D>
__global__ void part_tiles(AttentionBackward p, const float* delta, float* partial) {
  const KvPart part = p.parts[block_x()];
  auto* keys = shared_memory<Bf16>();
  Bf16* values = keys + kKvBlock * tile_stride(D);
  auto* sums = reinterpret_cast<float*>(values + kKvBlock * tile_stride(D));
  load_block<D>(
      kv_head_of<Bf16>(p.kv, part.block, block_y()), kKvBlock,
      [&](Index t, Index d, const Eight& x) {
        scatter(x, keys + t * tile_stride(D) + d, tile_stride(D));
      },
      [&](Index t, Index d, const Eight& x) { put_eight(x, values + t * tile_stride(D) + d); });
  __syncthreads();
  float dk[D / 8][4], dv[D / 8][4];
  AHA_UNROLL
  for (int d = 0; d < D / 8; ++d) {
    clear(dk[d]);
    clear(dv[d]);
  }
  const Index queries = (part.end_row - part.first_row) * (p.H / p.kv.Hk);
  for (Index first = warp() * 16; first < queries; first += kAttentionWarps * 16)
    take_queries<D>(p, part, delta, first, keys, dk, dv);
  add_warps<D>(dk, dv, sums);
  float* to = partial + (block_x() * p.kv.Hk + block_y()) * KvStore::head_size(D);
  for (Index i = thread(); i < D * kKvBlock; i += threads()) {
    to[i] = sums[i % kKvBlock * D + i / kKvBlock];
    to[D * kKvBlock + i] = sums[kKvBlock * D + i];
  }
}

}  // namespace

bool backward_part_tiles(const AttentionBackward& p, const float* delta, Index parts,
                         float* partial) {
  if (!on_tiles(p)) return false;
  return with_tiles(1, p.kv.D, [&](auto, auto width) {
    constexpr int D = decltype(width)::value;
    launch({parts, p.kv.Hk, kAttentionWarps * kWarp, part_bytes(D)}, part_tiles<D>, p, delta,
           partial);
  });
}

}  // namespace aha::cuda
