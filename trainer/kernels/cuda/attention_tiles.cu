// Attention of rows that stand together by their sequence, on tensor cores: prefill and training in bf16. A warp takes
// 16 queries, neighbours of one kv head, through the positions with a running maximum, as in FlashAttention-2 (Dao 2023,
// arXiv:2307.08691, algorithm 1); a block's warps share the keys and values, which the store has in bf16, in shared memory.
// Scores, weights before their rounding, and all sums are f32.
#include "trainer/kernels/cuda/attention_tiles.h"

namespace aha::cuda {
namespace {

/// What a lane holds of its warp's 16 queries: of queries lane / 4 and that + 8.
template <int D>
struct TileState {
  std::uint32_t q[D / 16][4];
  float out[D / 8][4];
  float top[2], sum[2];  ///< of the scores as they are; the lane's own part of the sum
};

/// Scores of the queries with a tile's positions; minus infinity where a query does not look.
template <int D>
AHA_DEVICE void tile_scores(const TileState<D>& s, const KeyTile<D>& tile, bool all,
                            const int (&left)[2], float (&score)[KeyTile<D>::kKeys / 8][4]) {
  constexpr int kKeys = KeyTile<D>::kKeys;
  AHA_UNROLL
  for (int n = 0; n < kKeys / 8; ++n)
    clear(score[n]);
  AHA_UNROLL
  for (int k = 0; k < D / 16; ++k)
    AHA_UNROLL
  for (int n = 0; n < kKeys / 16; ++n) {
    Rights keys;
    right_of_columns(tile.keys + 16 * k * tile.kKeyStride + 16 * n, tile.kKeyStride, keys);
    mma(score[2 * n], s.q[k], keys[0]);
    mma(score[2 * n + 1], s.q[k], keys[1]);
  }
  if (all) return;
  AHA_UNROLL
  for (int n = 0; n < kKeys / 8; ++n)
    for (int i = 0; i < 4; ++i)
      if (8 * n + i % 2 > left[i / 2]) score[n][i] = -INFINITY;
}

/// score = the softmax's terms over 2^top; what was summed so far is brought to the new maximum.
template <int D>
AHA_DEVICE void take_scores(TileState<D>& s, float (&score)[KeyTile<D>::kKeys / 8][4]) {
  constexpr int kKeys = KeyTile<D>::kKeys;
  const float scale = scale_of(D) * kLog2E;
  for (int half = 0; half < 2; ++half) {
    float top = s.top[half];
    AHA_UNROLL
    for (int n = 0; n < kKeys / 8; ++n)
      top = fmaxf(top, fmaxf(score[n][2 * half], score[n][2 * half + 1]));
    top = fmaxf(top, __shfl_xor_sync(kAllLanes, top, 1));
    top = fmaxf(top, __shfl_xor_sync(kAllLanes, top, 2));
    const float over = top == -INFINITY ? 0.0F : top;          // a query that has seen nothing yet
    const float kept = exp2_of((s.top[half] - over) * scale);  // 1 where the maximum stays
    const float base = -over * scale;
    float sum = 0;
    AHA_UNROLL
    for (int n = 0; n < kKeys / 8; ++n)
      for (int i = 2 * half; i < 2 * half + 2; ++i) {
        score[n][i] = exp2_of(fmaf(score[n][i], scale, base));
        sum += score[n][i];
      }
    s.sum[half] = fmaf(s.sum[half], kept, sum);
    s.top[half] = top;
    AHA_UNROLL
    for (int d = 0; d < D / 8; ++d) {
      s.out[d][2 * half] *= kept;
      s.out[d][2 * half + 1] *= kept;
    }
  }
}

/// Takes one tile in; `left` are the positions from the lane's first of it on that each of its queries looks at.
template <int D>
AHA_DEVICE void take_tile(TileState<D>& s, const KeyTile<D>& tile, bool all, const int (&left)[2]) {
  constexpr int kKeys = KeyTile<D>::kKeys;
  float score[kKeys / 8][4];
  tile_scores<D>(s, tile, all, left, score);
  take_scores<D>(s, score);
  AHA_UNROLL
  for (int k = 0; k < kKeys / 16; ++k) {
    std::uint32_t weights[4];
    left_of(score[2 * k], score[2 * k + 1], weights);
    AHA_UNROLL
    for (int d = 0; d < D / 16; ++d) {
      Rights values;
      right_of_columns(tile.values + 16 * k * tile.kValueStride + 16 * d, tile.kValueStride,
                       values);
      mma(s.out[2 * d], weights, values[0]);
      mma(s.out[2 * d + 1], weights, values[1]);
    }
  }
}

template <int D>
__global__ void AHA_BLOCKS(kTileThreads, D == 64 ? 3 : 2) attend_tiles(Attention p) {
  const TileQueries t(p.rows, p.H, p.kv.Hk);
  TileState<D> s;
  load_left<D>(t, p.qkv, 2 * p.kv.Hk * D, s.q);
  AHA_UNROLL
  for (int d = 0; d < D / 8; ++d)
    clear(s.out[d]);
  for (int half = 0; half < 2; ++half) {
    s.top[half] = -INFINITY;
    s.sum[half] = 0;
  }
  pass_keys<D>(p.kv, p.rows, t, [&](const Seen& seen, int key, auto tile) {
    const int first = key + 2 * (lane() % 4);
    take_tile<D>(s, tile, key + tile.kKeys - 1 <= seen.all,
                 {seen.own[0] - first, seen.own[1] - first});
  });
  for (int half = 0; half < 2; ++half) {
    const float sum = row_sum(s.sum[half]);
    if (!t.there(half)) continue;
    const float part = 1.0F / sum;
    float* to = p.out + Index{t.vector[half]} * D + 2 * (lane() % 4);
    AHA_UNROLL
    for (int d = 0; d < D / 8; ++d)
      put_two(to + 8 * d, s.out[d][2 * half] * part, s.out[d][2 * half + 1] * part);
    if (p.lse != nullptr && lane() % 4 == 0)
      p.lse[t.vector[half]] = fmaf(s.top[half], scale_of(D), log_of(sum));
  }
}

}  // namespace

bool attention_tiles(const Attention& p) {
  if (!on_tiles(p)) return false;
  with_tiles(p.kv.D, [&](auto width) {
    constexpr int D = decltype(width)::value;
    launch(query_grid(p.rows.M, p.H, p.kv.Hk, kKeyTileBytes<D>), attend_tiles<D>, p);
  });
  return true;
}

}  // namespace aha::cuda
