// dq of attention on tensor cores, for rows that stand together: what query_grads of attention_backward.cu computes, by
// 16 queries a warp as the forward pass goes (attention_tiles.cu). q, k, v, dout and ds are rounded to bf16 as operands;
// all sums are f32.
#include "trainer/kernels/cuda/attention_tiles.h"

namespace aha::cuda {
namespace {

/// Positions that a warp takes in at a time.
constexpr int kKeys = 32;

/// What a lane holds of its warp's 16 queries.
template <int D>
struct QueryState {
  std::uint32_t q[D / 16][4], dout[D / 16][4];
  float dq[D / 8][4];  ///< but for the scale
  float delta[2];
  float lse[2];  ///< to base 2
};

/// ds over the scale, with kKeys positions from a tile's `first` on; zero where a query does not look.
template <int D>
AHA_DEVICE void tile_slopes(const QueryState<D>& s, const KeyTile<D>& tile, int first, bool all,
                            const int (&left)[2], float (&slope)[kKeys / 8][4]) {
  const float scale = scale_of(D) * kLog2E;
  float score[kKeys / 8][4];
  AHA_UNROLL
  for (int n = 0; n < kKeys / 8; ++n) {
    clear(score[n]);
    clear(slope[n]);
  }
  AHA_UNROLL
  for (int k = 0; k < D / 16; ++k)
    AHA_UNROLL
  for (int n = 0; n < kKeys / 16; ++n) {
    Rights right;
    right_of_columns(tile.keys + 16 * k * tile.kKeyStride + first + 16 * n, tile.kKeyStride, right);
    mma(score[2 * n], s.q[k], right[0]);
    mma(score[2 * n + 1], s.q[k], right[1]);
    right_of_rows(tile.values + (first + 16 * n) * tile.kValueStride + 16 * k, tile.kValueStride,
                  right);
    mma(slope[2 * n], s.dout[k], right[0]);
    mma(slope[2 * n + 1], s.dout[k], right[1]);
  }
  AHA_UNROLL
  for (int n = 0; n < kKeys / 8; ++n)
    for (int i = 0; i < 4; ++i) {
      const float weight = exp2_of(fmaf(score[n][i], scale, -s.lse[i / 2]));
      slope[n][i] = weight * (slope[n][i] - s.delta[i / 2]);
    }
  if (all) return;
  AHA_UNROLL
  for (int n = 0; n < kKeys / 8; ++n)
    for (int i = 0; i < 4; ++i)
      if (first + 8 * n + i % 2 > left[i / 2]) slope[n][i] = 0;
}

/// Adds what kKeys positions from a tile's `first` on give.
template <int D>
AHA_DEVICE void take_keys(QueryState<D>& s, const KeyTile<D>& tile, int first, bool all,
                          const int (&left)[2]) {
  float slope[kKeys / 8][4];
  tile_slopes<D>(s, tile, first, all, left, slope);
  AHA_UNROLL
  for (int k = 0; k < kKeys / 16; ++k) {
    std::uint32_t slopes[4];
    left_of(slope[2 * k], slope[2 * k + 1], slopes);
    AHA_UNROLL
    for (int d = 0; d < D / 16; ++d) {
      Rights keys;
      right_of_rows(tile.keys + 16 * d * tile.kKeyStride + first + 16 * k, tile.kKeyStride, keys);
      mma(s.dq[2 * d], slopes, keys[0]);
      mma(s.dq[2 * d + 1], slopes, keys[1]);
    }
  }
}

/// The lane's part of `out . dout` of a query, with dout as it was rounded: as in dout . v, of which delta is the mean.
template <int D>
AHA_DEVICE float product_with(const float* out, const std::uint32_t (&dout)[D / 16][4], int half) {
  float sum = 0;
  AHA_UNROLL
  for (int k = 0; k < D / 8; ++k) {
    const std::uint32_t pair = dout[k / 2][k % 2 * 2 + half];
    sum = fmaf(float_of(pair << 16U), out[8 * k], sum);
    sum = fmaf(float_of(pair & 0xffff0000U), out[8 * k + 1], sum);
  }
  return sum;
}

/// to [M, H, D] = the lane's part of the warp's vectors.
template <int D>
AHA_DEVICE void keep_left(const TileQueries& t, const std::uint32_t (&from)[D / 16][4], Bf16* to) {
  for (int half = 0; half < 2; ++half) {
    if (!t.there(half)) continue;
    auto* pairs = reinterpret_cast<Pair*>(to + Index{t.vector[half]} * D + 2 * (lane() % 4));
    AHA_UNROLL
    for (int k = 0; k < D / 8; ++k)
      pairs[4 * k] = from[k / 2][k % 2 * 2 + half];
  }
}

template <int D>
__global__ void AHA_BLOCKS(kTileThreads, D == 64 ? 3 : 2)
    query_tiles(AttentionBackward p, KeptQueries to) {
  const TileQueries t(p.rows, p.H, p.kv.Hk);
  const Index others = 2 * p.kv.Hk * D;
  QueryState<D> s;
  load_left<D>(t, p.qkv, others, s.q);
  load_left<D>(t, p.dout, 0, s.dout);
  keep_left<D>(t, s.q, to.q);
  keep_left<D>(t, s.dout, to.dout);
  AHA_UNROLL
  for (int d = 0; d < D / 8; ++d)
    clear(s.dq[d]);
  for (int half = 0; half < 2; ++half) {
    const Index vector = t.vector[half];
    s.delta[half] = row_sum(product_with<D>(p.out + vector * D + 2 * (lane() % 4), s.dout, half));
    s.lse[half] = p.lse[vector] * kLog2E;
    if (t.there(half) && lane() % 4 == 0) to.delta[vector] = s.delta[half];
  }
  pass_keys<D>(p.kv, p.rows, t, [&](const Seen& seen, int key, auto tile) {
    const int begin = key + 2 * (lane() % 4);
    for (int first = 0; first < tile.kKeys && key + first <= seen.last; first += kKeys)
      take_keys<D>(s, tile, first, key + first + kKeys - 1 <= seen.all,
                   {seen.own[0] - begin, seen.own[1] - begin});
  });
  for (int half = 0; half < 2; ++half) {
    if (!t.there(half)) continue;
    float* dq = p.dqkv + Index{t.vector[half]} * D + t.row[half] * others + 2 * (lane() % 4);
    AHA_UNROLL
    for (int d = 0; d < D / 8; ++d)
      put_two(dq + 8 * d, s.dq[d][2 * half] * scale_of(D), s.dq[d][2 * half + 1] * scale_of(D));
  }
}

}  // namespace

void backward_query_tiles(const AttentionBackward& p, const KeptQueries& to) {
  with_tiles(p.kv.D, [&](auto width) {
    constexpr int D = decltype(width)::value;
    launch(query_grid(p.rows.M, p.H, p.kv.Hk, kKeyTileBytes<D>), query_tiles<D>, p, to);
  });
}

}  // namespace aha::cuda
