// dq of attention on tensor cores, for rows that stand together: what query_grads of attention_backward.cu computes, by
// 16 rows of a query head a warp as the forward pass goes (attention_tiles.cu). q, k, v, dout and ds are rounded to bf16
// as operands; all sums are f32.
#include "trainer/kernels/cuda/attention_tiles.h"

namespace aha::cuda {
namespace {

constexpr int kTileKeys = 32;

/// Shared memory as bf16: keys and values [kTileKeys][D], keys again [D][kTileKeys].
struct Shared {
  Bf16 *keys, *values, *columns;
};
Index query_bytes(Index D) {
  return 2 * (2 * kTileKeys * tile_stride(D) + D * tile_stride(kTileKeys));
}

template <int D>
AHA_DEVICE void load_tile(const KvStore& kv, Index kv_head, const Run& run, Index first,
                          const Shared& to) {
  load_positions<D, kTileKeys>(
      kv, kv_head, run, first,
      [&](Index t, Index d, const Eight& x) {
        scatter(x, to.keys + t * tile_stride(D) + d, tile_stride(D));
        put_eight(x, to.columns + d * tile_stride(kTileKeys) + t);
      },
      [&](Index t, Index d, const Eight& x) { put_eight(x, to.values + t * tile_stride(D) + d); });
}

/// What a lane holds of its warp's 16 rows.
template <int D>
struct QueryState {
  std::uint32_t q[D / 16][4], dout[D / 16][4];
  float dq[D / 8][4];
  float delta[2], lse[2];
  Index position[2];
};

/// ds of the rows with the tile's positions; zero where a row does not look.
template <int D>
AHA_DEVICE void tile_slopes(const QueryState<D>& s, const Shared& tile, Index first,
                            float (&slope)[kTileKeys / 8][4]) {
  const float scale = scale_of(D);
  const Index q = 2 * (lane() % 4);
  AHA_UNROLL
  for (int n = 0; n < kTileKeys / 8; ++n) {
    float score[4], product[4];
    clear(score);
    clear(product);
    const Index row = (n * 8 + lane() / 4) * tile_stride(D) + q;
    AHA_UNROLL
    for (int k = 0; k < D / 16; ++k) {
      const Bf16* key = tile.keys + row + 16 * k;
      const Bf16* value = tile.values + row + 16 * k;
      mma(score, s.q[k], {pair_at(key), pair_at(key + 8)});
      mma(product, s.dout[k], {pair_at(value), pair_at(value + 8)});
    }
    for (int i = 0; i < 4; ++i) {
      const int half = i / 2;
      const bool looks = first + n * 8 + q + i % 2 <= s.position[half];
      slope[n][i] =
          looks ? exp_of(score[i] * scale - s.lse[half]) * (product[i] - s.delta[half]) * scale
                : 0.0F;
    }
  }
}

/// Adds what the positions of one tile give.
template <int D>
AHA_DEVICE void take_tile(QueryState<D>& s, const Shared& tile, Index first) {
  float slope[kTileKeys / 8][4];
  tile_slopes<D>(s, tile, first, slope);
  AHA_UNROLL
  for (int k = 0; k < kTileKeys / 16; ++k) {
    const float(&low)[4] = slope[2 * k];
    const float(&high)[4] = slope[2 * k + 1];
    const std::uint32_t left[4] = {bf16_pair(low[0], low[1]), bf16_pair(low[2], low[3]),
                                   bf16_pair(high[0], high[1]), bf16_pair(high[2], high[3])};
    AHA_UNROLL
    for (int d = 0; d < D / 8; ++d) {
      const Bf16* key =
          tile.columns + (8 * d + lane() / 4) * tile_stride(kTileKeys) + 16 * k + 2 * (lane() % 4);
      mma(s.dq[d], left, {pair_at(key), pair_at(key + 8)});
    }
  }
}

/// dq of 16 rows of a query head a warp; delta [M, H] is written.
template <int Heads, int D>
__global__ void query_tiles(AttentionBackward p, float* delta) {
  const Queries heads = queries_of(p.H, p.kv.Hk, Heads);
  const TileRows<Heads> t(p.rows, heads);
  const Index width = (p.H + 2 * p.kv.Hk) * D;
  Shared tile;
  tile.keys = shared_memory<Bf16>();
  tile.values = tile.keys + kTileKeys * tile_stride(D);
  tile.columns = tile.values + kTileKeys * tile_stride(D);

  QueryState<D> s;
  load_left<D>(t, p.qkv, width, s.q);
  load_left<D>(t, p.dout, p.H * D, s.dout);
  AHA_UNROLL
  for (int d = 0; d < D / 8; ++d)
    clear(s.dq[d]);
  for (int half = 0; half < 2; ++half) {
    const Index head = t.there(half) ? t.row[half] * p.H + t.head : 0;
    float product = 0;
    for (int i = 0; i < D / 4 && t.there(half); ++i) {
      const Index d = head * D + lane() % 4 + 4 * i;
      Bf16 dout;
      round_to(p.dout[d], dout);  // as in dout . v, of which delta is the mean
      product = fmaf(widened(dout), p.out[d], product);
    }
    s.delta[half] = row_sum(product);
    s.lse[half] = t.there(half) ? p.lse[head] : 0.0F;
    if (t.there(half) && lane() % 4 == 0) delta[head] = s.delta[half];
  }
  for (Index at = t.first; at < t.end;) {
    const Run run = run_at(p.rows, at, t.end);
    const Index last = t.last(p.rows, run);
    for (int half = 0; half < 2; ++half)
      s.position[half] = t.position(p.rows, run, half);
    for (Index key = 0; key <= run.last_position; key += kTileKeys) {
      load_tile<D>(p.kv, heads.kv_head, run, key, tile);
      if (key <= last) take_tile<D>(s, tile, key);
    }
    at = run.end;
  }
  for (int half = 0; half < 2; ++half) {
    if (!t.there(half)) continue;
    float* to = p.dqkv + t.row[half] * width + t.head * D + 2 * (lane() % 4);
    AHA_UNROLL
    for (int d = 0; d < D / 8; ++d)
      for (int i = 0; i < 2; ++i)
        to[8 * d + i] = s.dq[d][2 * half + i];
  }
}

}  // namespace

bool backward_query_tiles(const AttentionBackward& p, float* delta) {
  if (!on_tiles(p)) return false;
  const Index group = p.H / p.kv.Hk;
  return with_tiles(group, p.kv.D, [&](auto heads, auto width) {
    constexpr int Heads = decltype(heads)::value;
    constexpr int D = decltype(width)::value;
    launch({ceil_div(p.rows.M, TileRows<Heads>::kWindow), p.kv.Hk * ceil_div(group, Heads),
            kAttentionWarps * kWarp, query_bytes(D)},
           query_tiles<Heads, D>, p, delta);
  });
}

}  // namespace aha::cuda
