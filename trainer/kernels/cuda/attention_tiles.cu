// Attention of rows that stand together by their sequence, on tensor cores: prefill and training in bf16. A warp takes
// 16 rows of a query head through 64 positions at a time with a running maximum, as in FlashAttention-2 (Dao 2023,
// arXiv:2307.08691, algorithm 1); a block's four warps share the keys and values, which the store has in bf16, in shared memory.
// Scores, weights before their rounding, and all sums are f32.
#include "trainer/kernels/cuda/attention_tiles.h"

namespace aha::cuda {
namespace {

constexpr int kTileKeys = 64;

/// Shared memory: keys [kTileKeys][D] and values [D][kTileKeys] as bf16.
Index tile_bytes(Index D) {
  return 2 * (kTileKeys * tile_stride(D) + D * tile_stride(kTileKeys));
}

template <int D>
AHA_DEVICE void load_tile(const KvStore& kv, Index kv_head, const Run& run, Index first, Bf16* keys,
                          Bf16* values) {
  load_positions<D, kTileKeys>(
      kv, kv_head, run, first,
      [&](Index t, Index d, const Eight& x) {
        scatter(x, keys + t * tile_stride(D) + d, tile_stride(D));
      },
      [&](Index t, Index d, const Eight& x) {
        scatter(x, values + d * tile_stride(kTileKeys) + t, tile_stride(kTileKeys));
      });
}

/// What a lane holds of its warp's 16 rows: of rows lane / 4 and that + 8.
template <int D>
struct TileState {
  std::uint32_t q[D / 16][4];
  float out[D / 8][4];
  float top[2], sum[2];
  Index position[2];  ///< of the rows in the run at hand; below 0: not of it
};

/// Scores of the rows with the tile's positions, scaled; minus infinity where a row does not look.
template <int D>
AHA_DEVICE void tile_scores(const TileState<D>& s, const Bf16* keys, Index first,
                            float (&score)[kTileKeys / 8][4]) {
  const float scale = scale_of(D);
  const Index q = 2 * (lane() % 4);
  AHA_UNROLL
  for (int n = 0; n < kTileKeys / 8; ++n) {
    float(&c)[4] = score[n];
    clear(c);
    const Bf16* key = keys + (n * 8 + lane() / 4) * tile_stride(D) + q;
    AHA_UNROLL
    for (int k = 0; k < D / 16; ++k)
      mma(c, s.q[k], {pair_at(key + 16 * k), pair_at(key + 16 * k + 8)});
    for (int i = 0; i < 4; ++i)
      c[i] = first + n * 8 + q + i % 2 <= s.position[i / 2] ? c[i] * scale : -INFINITY;
  }
}

/// Takes one tile in.
template <int D>
AHA_DEVICE void take_tile(TileState<D>& s, const Bf16* keys, const Bf16* values, Index first) {
  float score[kTileKeys / 8][4];
  tile_scores<D>(s, keys, first, score);
  for (int half = 0; half < 2; ++half) {
    float top = s.top[half];
    AHA_UNROLL
    for (int n = 0; n < kTileKeys / 8; ++n)
      top = fmaxf(top, fmaxf(score[n][2 * half], score[n][2 * half + 1]));
    top = fmaxf(top, __shfl_xor_sync(kAllLanes, top, 1));
    top = fmaxf(top, __shfl_xor_sync(kAllLanes, top, 2));
    const float base = top == -INFINITY ? 0.0F : top;  // a row that has seen nothing yet
    const float kept = exp_of(s.top[half] - base);
    float sum = 0;
    AHA_UNROLL
    for (int n = 0; n < kTileKeys / 8; ++n)
      for (int i = 2 * half; i < 2 * half + 2; ++i) {
        score[n][i] = exp_of(score[n][i] - base);
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
  AHA_UNROLL
  for (int k = 0; k < kTileKeys / 16; ++k) {
    const float(&low)[4] = score[2 * k];
    const float(&high)[4] = score[2 * k + 1];
    const std::uint32_t weights[4] = {bf16_pair(low[0], low[1]), bf16_pair(low[2], low[3]),
                                      bf16_pair(high[0], high[1]), bf16_pair(high[2], high[3])};
    const Bf16* value = values + lane() / 4 * tile_stride(kTileKeys) + 16 * k + 2 * (lane() % 4);
    AHA_UNROLL
    for (int d = 0; d < D / 8; ++d)
      mma(s.out[d], weights,
          {pair_at(value + 8 * d * tile_stride(kTileKeys)),
           pair_at(value + 8 * d * tile_stride(kTileKeys) + 8)});
  }
}

template <int Heads, int D>
__global__ void attend_tiles(Attention p) {
  const Queries heads = queries_of(p.H, p.kv.Hk, Heads);
  const TileRows<Heads> t(p.rows, heads);
  auto* keys = shared_memory<Bf16>();
  Bf16* values = keys + kTileKeys * tile_stride(D);

  TileState<D> s;
  load_left<D>(t, p.qkv, (p.H + 2 * p.kv.Hk) * D, s.q);
  AHA_UNROLL
  for (int d = 0; d < D / 8; ++d)
    clear(s.out[d]);
  for (int half = 0; half < 2; ++half) {
    s.top[half] = -INFINITY;
    s.sum[half] = 0;
  }

  for (Index at = t.first; at < t.end;) {
    const Run run = run_at(p.rows, at, t.end);
    const Index last = t.last(p.rows, run);
    for (int half = 0; half < 2; ++half)
      s.position[half] = t.position(p.rows, run, half);
    for (Index key = 0; key <= run.last_position; key += kTileKeys) {
      load_tile<D>(p.kv, heads.kv_head, run, key, keys, values);
      if (key <= last) take_tile<D>(s, keys, values, key);
    }
    at = run.end;
  }

  for (int half = 0; half < 2; ++half) {
    const float sum = row_sum(s.sum[half]);
    if (!t.there(half)) continue;
    const Index head = t.row[half] * p.H + t.head;
    AHA_UNROLL
    for (int d = 0; d < D / 8; ++d)
      for (int i = 0; i < 2; ++i)
        p.out[head * D + 8 * d + 2 * (lane() % 4) + i] = s.out[d][2 * half + i] / sum;
    if (p.lse != nullptr && lane() % 4 == 0) p.lse[head] = s.top[half] + log_of(sum);
  }
}

}  // namespace

bool attention_tiles(const Attention& p) {
  if (!on_tiles(p)) return false;
  const Index group = p.H / p.kv.Hk;
  return with_tiles(group, p.kv.D, [&](auto heads, auto width) {
    constexpr int Heads = decltype(heads)::value;
    constexpr int D = decltype(width)::value;
    launch({ceil_div(p.rows.M, TileRows<Heads>::kWindow), p.kv.Hk * ceil_div(group, Heads),
            kAttentionWarps * kWarp, tile_bytes(D)},
           attend_tiles<Heads, D>, p);
  });
}

}  // namespace aha::cuda
