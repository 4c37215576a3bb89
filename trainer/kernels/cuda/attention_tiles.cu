// Attention of rows that stand together by their sequence, on tensor cores: prefill and training in bf16. A warp takes
// 16 rows of a query head through 64 positions at a time with a running maximum, as in FlashAttention-2 (Dao 2023,
// arXiv:2307.08691, algorithm 1); a block's four warps share the keys and values, rounded to bf16 in shared memory.
// Scores, weights before their rounding, and all sums are f32.
#include "trainer/kernels/cuda/attention.h"
#include "trainer/kernels/cuda/mma.h"

namespace aha::cuda {
namespace {

constexpr int kTileRows = 16;
constexpr int kTileKeys = 64;

/// Shared memory: keys [kTileKeys][D + 8] and values [D][kTileKeys + 8] as bf16; rows are 16 bytes longer, for the banks.
constexpr Index key_stride(Index D) {
  return D + 8;
}
constexpr Index kValueStride = kTileKeys + 8;

Index tile_bytes(Index D) {
  return 2 * (kTileKeys * key_stride(D) + D * kValueStride);
}

AHA_DEVICE std::uint32_t pair_at(const Bf16* two) {
  std::uint32_t pair;
  memcpy(&pair, two, sizeof pair);
  return pair;
}

/// Rows [first, end) of one sequence.
struct Run {
  Index first, end;
  const std::int32_t* table;
  Index last_position;
};

AHA_DEVICE Run run_at(const KvRows& rows, Index first, Index end) {
  Run run{first, first + 1, rows.tables[first], 0};
  while (run.end < end && rows.tables[run.end] == run.table)
    ++run.end;
  run.last_position = rows.positions[run.end - 1];
  return run;
}

/// Positions [first, first + kTileKeys) of a run's keys and values; zero behind its last one. The block waits before and after.
template <int D>
AHA_DEVICE void load_tile(const KvStore& kv, Index kv_head, const Run& run, Index first, Bf16* keys,
                          Bf16* values) {
  __syncthreads();
  for (Index b = 0; b < kTileKeys / kKvBlock; ++b) {
    const Index position = first + b * kKvBlock;
    const bool there = position <= run.last_position;
    const float* block = there ? kv_head_of(kv, run.table[position / kKvBlock], kv_head) : nullptr;
    for (Index i = thread(); i < D * kKvBlock; i += threads()) {
      const Index t = i % kKvBlock;  // of the key block, [D][16]
      round_to(there && position + t <= run.last_position ? block[i] : 0.0F,
               keys[(b * kKvBlock + t) * key_stride(D) + i / kKvBlock]);
      const Index s = i / D;  // of the value block, [16][D]
      round_to(there && position + s <= run.last_position ? block[D * kKvBlock + i] : 0.0F,
               values[i % D * kValueStride + b * kKvBlock + s]);
    }
  }
  __syncthreads();
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
  const float scale = 1.0F / sqrtf(static_cast<float>(D));
  const Index q = 2 * (lane() % 4);
  AHA_UNROLL
  for (int n = 0; n < kTileKeys / 8; ++n) {
    float(&c)[4] = score[n];
    for (int i = 0; i < 4; ++i)
      c[i] = 0;
    const Bf16* key = keys + (n * 8 + lane() / 4) * key_stride(D) + q;
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
    const Bf16* value = values + lane() / 4 * kValueStride + 16 * k + 2 * (lane() % 4);
    AHA_UNROLL
    for (int d = 0; d < D / 8; ++d)
      mma(s.out[d], weights,
          {pair_at(value + 8 * d * kValueStride), pair_at(value + 8 * d * kValueStride + 8)});
  }
}

/// A block is 16 rows of Heads query heads, or, of fewer heads, more rows of them: a warp each.
template <int Heads, int D>
__global__ void attend_tiles(Attention p) {
  const Queries heads = queries_of(p.H, p.kv.Hk, Heads);
  constexpr Index kWindow = kAttentionWarps / Heads * kTileRows;
  const Index first = block_x() * kWindow;
  const Index end = first + kWindow < p.rows.M ? first + kWindow : p.rows.M;
  const Index head = heads.first + warp() % Heads;
  const bool busy = warp() % Heads < heads.count;
  const Index row[2] = {first + warp() / Heads * kTileRows + lane() / 4,
                        first + warp() / Heads * kTileRows + lane() / 4 + 8};
  auto* keys = shared_memory<Bf16>();
  Bf16* values = keys + kTileKeys * key_stride(D);
  const Index width = (p.H + 2 * p.kv.Hk) * D;

  TileState<D> s;
  AHA_UNROLL
  for (int k = 0; k < D / 16; ++k)
    for (int i = 0; i < 4; ++i) {
      const bool there = busy && row[i % 2] < end;
      const float* q = p.qkv + (there ? row[i % 2] * width + head * D : 0) + 16 * k + i / 2 * 8 +
                       2 * (lane() % 4);
      s.q[k][i] = there ? bf16_pair(q[0], q[1]) : 0;
    }
  AHA_UNROLL
  for (int d = 0; d < D / 8; ++d)
    for (int i = 0; i < 4; ++i)
      s.out[d][i] = 0;
  for (int half = 0; half < 2; ++half) {
    s.top[half] = -INFINITY;
    s.sum[half] = 0;
  }

  for (Index at = first; at < end;) {
    const Run run = run_at(p.rows, at, end);
    const Index own = first + warp() / Heads * kTileRows;  // the first of the warp's rows
    const Index own_end = own + kTileRows < run.end ? own + kTileRows : run.end;
    const bool looks = busy && own_end > (own > run.first ? own : run.first);
    const Index last = looks ? p.rows.positions[own_end - 1] : -1;
    for (int half = 0; half < 2; ++half) {
      const bool of_run = row[half] >= run.first && row[half] < run.end;
      s.position[half] = busy && of_run ? p.rows.positions[row[half]] : -1;
    }
    for (Index key = 0; key <= run.last_position; key += kTileKeys) {
      load_tile<D>(p.kv, heads.kv_head, run, key, keys, values);
      if (key <= last) take_tile<D>(s, keys, values, key);
    }
    at = run.end;
  }

  for (int half = 0; half < 2; ++half) {
    s.sum[half] += __shfl_xor_sync(kAllLanes, s.sum[half], 1);
    s.sum[half] += __shfl_xor_sync(kAllLanes, s.sum[half], 2);
    if (!busy || row[half] >= end) continue;
    const Index at = row[half] * p.H + head;
    const float inverse = 1.0F / s.sum[half];
    AHA_UNROLL
    for (int d = 0; d < D / 8; ++d)
      for (int i = 0; i < 2; ++i)
        p.out[at * D + 8 * d + 2 * (lane() % 4) + i] = s.out[d][2 * half + i] * inverse;
    if (p.lse != nullptr && lane() % 4 == 0) p.lse[at] = s.top[half] + log_of(s.sum[half]);
  }
}

template <int Heads, int D>
void launch_tiles(const Attention& p) {
  constexpr Index kWindow = kAttentionWarps / Heads * kTileRows;
  const Index group = p.H / p.kv.Hk;
  launch({ceil_div(p.rows.M, kWindow), p.kv.Hk * ceil_div(group, Heads), kAttentionWarps * kWarp,
          tile_bytes(D)},
         attend_tiles<Heads, D>, p);
}

template <int D>
void launch_heads(const Attention& p) {
  const Index group = p.H / p.kv.Hk;
  if (group == 1) return launch_tiles<1, D>(p);
  if (group == 2) return launch_tiles<2, D>(p);
  launch_tiles<4, D>(p);
}

}  // namespace

bool attention_tiles(const Attention& p) {
  if (!p.together || p.type != FloatType::BF16) return false;
  if (p.kv.D == 64)
    launch_heads<64>(p);
  else if (p.kv.D == 128)
    launch_heads<128>(p);
  else
    return false;
  return true;
}

}  // namespace aha::cuda
