#pragma once
// What attention on tensor cores shares: queries in tiles, and the keys and values that pass by them.
#include "trainer/kernels/cuda/async_copy.h"
#include "trainer/kernels/cuda/attention.h"
#include "trainer/kernels/cuda/mma.h"

namespace aha::cuda {

/// Queries of a warp: the rows of a tensor core's product.
constexpr int kTileQueries = 16;

/// Threads and queries of a block, whose warps share keys and values.
constexpr int kTileThreads = kAttentionWarps * kWarp;
constexpr int kBlockQueries = kAttentionWarps * kTileQueries;

constexpr float kLog2E = 1.44269504F;

/// 2^x to about 2 ulp, 0 of minus infinity: of bf16 nothing more is left.
AHA_DEVICE float exp2_of(float x) {
#ifdef AHA_CUDA_ON_HOST
  return exp2f(x);
#else
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#endif
}

/// Numbers between rows of `columns` in shared memory: 16 bytes more, for the banks.
constexpr int tile_stride(int columns) {
  return columns + 8;
}

/// C [16, 8] of zeros.
AHA_DEVICE void clear(float (&c)[4]) {
  for (int i = 0; i < 4; ++i)
    c[i] = 0;
}

/// C [16, 16], which two products left, rounded to the left operand of another.
AHA_DEVICE void left_of(const float (&low)[4], const float (&high)[4], std::uint32_t (&a)[4]) {
  a[0] = bf16_pair(low[0], low[1]);
  a[1] = bf16_pair(low[2], low[3]);
  a[2] = bf16_pair(high[0], high[1]);
  a[3] = bf16_pair(high[2], high[3]);
}

/// Two floats at an even place.
struct __attribute__((may_alias, aligned(8))) Two {
  float x[2];
};
AHA_DEVICE Two two_at(const float* from) {
  return *reinterpret_cast<const Two*>(from);
}
AHA_DEVICE void put_two(float* to, float a, float b) {
  *reinterpret_cast<Two*>(to) = {{a, b}};
}

/// Sum over the four lanes that hold a row, in each of them.
AHA_DEVICE float row_sum(float x) {
  x += __shfl_xor_sync(kAllLanes, x, 1);
  return x + __shfl_xor_sync(kAllLanes, x, 2);
}

/// Rows [first, end) of one sequence.
struct Run {
  Index first, end;
  const std::int32_t* table;
  Index last_position;
};

/// The run that begins at row `first`; the lanes of a warp look at a row each.
AHA_DEVICE Run run_at(const KvRows& rows, Index first, Index end) {
  Run run{first, first, rows.tables[first], 0};
  for (unsigned same = kAllLanes; same == kAllLanes && run.end < end;) {
    const Index row = run.end + lane();
    same = __ballot_sync(kAllLanes, row < end && rows.tables[row] == run.table);
    run.end += same == kAllLanes ? kWarp : __ffs(static_cast<int>(~same)) - 1;
  }
  run.last_position = rows.positions[run.end - 1];
  return run;
}

/// Of a run, the positions that queries look at: up to the numbers named; below 0: at none.
struct Seen {
  int all;     ///< every query of the warp
  int last;    ///< none looks further
  int own[2];  ///< each of the lane's two
};

/// The queries of a block's kv head, 16 a warp: a row has those of the heads of a group, then comes the next row.
struct TileQueries {
  AHA_DEVICE TileQueries(const KvRows& rows, Index H, Index Hk)
      : group(static_cast<int>(H / Hk)), all(static_cast<int>(rows.M) * group) {
    for (int half = 0; half < 2; ++half) {
      const int query = own() + lane() / 4 + 8 * half;
      row[half] = query < all ? query / group : -1;
      vector[half] =
          query < all ? static_cast<int>(row[half] * H + block_y() * group) + query % group : 0;
    }
  }

  static AHA_DEVICE int first() { return static_cast<int>(block_x()) * kBlockQueries; }
  static AHA_DEVICE int own() { return first() + kTileQueries * warp(); }
  AHA_DEVICE bool there(int half) const { return row[half] >= 0; }
  AHA_DEVICE Index first_row() const { return first() / group; }
  /// Behind the rows of queries below `end`.
  AHA_DEVICE Index end_row(int end) const { return ((end < all ? end : all) + group - 1) / group; }

  AHA_DEVICE Seen seen(const KvRows& rows, const Run& run) const {
    const int end = own() + kTileQueries;
    const Index own_first = own() / group;
    const Index begin = own_first > run.first ? own_first : run.first;
    const Index stop = end_row(end) < run.end ? end_row(end) : run.end;
    if (begin >= stop) return {-1, -1, {-1, -1}};
    Seen seen{-1, rows.positions[stop - 1], {-1, -1}};
    if (end <= all && begin == own_first && stop == end_row(end)) seen.all = rows.positions[begin];
    for (int half = 0; half < 2; ++half)
      if (row[half] >= run.first && row[half] < run.end) seen.own[half] = rows.positions[row[half]];
    return seen;
  }

  int group, all;
  int row[2];     ///< of each of this lane's two; below 0: there is none
  int vector[2];  ///< of [M, H]
};

/// A launch over all queries.
inline Grid query_grid(Index M, Index H, Index Hk, Index shared_bytes) {
  return {ceil_div(M * (H / Hk), kBlockQueries), Hk, kTileThreads, shared_bytes};
}

/// Rounded, the lane's part of the warp's 16 vectors [D] as the left operand of products; vector v begins at v D, or, with
/// other columns between rows, `skip` further a row.
template <int D>
AHA_DEVICE void load_left(const TileQueries& t, const float* vectors, Index skip,
                          std::uint32_t (&to)[D / 16][4]) {
  AHA_UNROLL
  for (int half = 0; half < 2; ++half) {
    const float* from = vectors + Index{t.vector[half]} * D +
                        (t.there(half) ? t.row[half] : 0) * skip + 2 * (lane() % 4);
    AHA_UNROLL
    for (int k = 0; k < D / 8; ++k)
      to[k / 2][k % 2 * 2 + half] = t.there(half) ? bf16_pair(from[8 * k], from[8 * k + 1]) : 0;
  }
}

/// Keys and values of some neighbouring positions in shared memory, zeros behind the last.
template <int D>
struct KeyTile {
  static constexpr int kKeys = 4096 / D;
  static constexpr int kKeyStride = tile_stride(kKeys);
  static constexpr int kValueStride = tile_stride(D);
  static constexpr int kNumbers = D * kKeyStride + kKeys * kValueStride;

  AHA_DEVICE explicit KeyTile(Bf16* memory) : keys(memory), values(memory + D * kKeyStride) {}

  /// Asks for the first `count` positions of blocks [table[0], table[1], ...]; the block takes part.
  AHA_DEVICE void load(const KvStore& kv, const std::int32_t* table, int count) const {
    const int size = static_cast<int>(kv.Hk * KvStore::head_size(D));
    const Bf16* own = kv_head_of<Bf16>(kv, 0, block_y()) + 8 * thread();
    AHA_UNROLL
    for (int begin = 0; begin < kKeys; begin += kKvBlock) {
      const int block = begin < count ? table[begin / kKvBlock] : 0;
      const Bf16* from = own + Index{block} * size;  // one instruction, of two numbers of 32 bits
      AHA_UNROLL
      for (int i = 0; i < 2 * D; i += kTileThreads)
        load_eights(from + 8 * i, i + thread(), begin, count);
    }
  }

  /// Number i of a block's eights of keys [D][16] and of values [16][D]; the block has positions from `begin` on.
  AHA_DEVICE void load_eights(const Bf16* from, int i, int begin, int count) const {
    const int key = begin + i % 2 * 8;
    const int left = 2 * (count - key);
    copy_later<16>(from, left < 0 ? 0 : left < 16 ? left : 16, keys + i / 2 * kKeyStride + key);
    const int value = begin + i / (D / 8);
    copy_later<16>(from + D * kKvBlock, value < count ? 16 : 0,
                   values + value * kValueStride + i % (D / 8) * 8);
  }

  Bf16* keys;    ///< [D][kKeys]
  Bf16* values;  ///< [kKeys][D]
};

/// Shared memory of two tiles.
template <int D>
constexpr Index kKeyTileBytes = 2 * 2 * KeyTile<D>::kNumbers;

/// Calls take(seen, first position, tile) for all that a warp's queries look at; a tile comes while the one before it is
/// taken.
template <int D, class Take>
AHA_DEVICE void pass_keys(const KvStore& kv, const KvRows& rows, const TileQueries& t,
                          const Take& take) {
  constexpr int kKeys = KeyTile<D>::kKeys;
  auto* memory = shared_memory<Bf16>();
  const Index end = t.end_row(t.first() + kBlockQueries);
  for (Index at = t.first_row(); at < end;) {
    const Run run = run_at(rows, at, end);
    const Seen seen = t.seen(rows, run);
    const int count = static_cast<int>(run.last_position) + 1;
    const auto tile = [&](int which) { return KeyTile<D>(memory + which * KeyTile<D>::kNumbers); };
    __syncthreads();  // the run before is used up
    tile(0).load(kv, run.table, count);
    int which = 0;
    for (int key = 0; key < count; key += kKeys) {
      wait_for_copies();
      __syncthreads();  // and the tile before is used up
      const int next = key + kKeys;
      if (next < count) tile(1 - which).load(kv, run.table + next / kKvBlock, count - next);
      if (key <= seen.last) take(seen, key, tile(which));
      which = 1 - which;
    }
    at = run.end;
  }
}

/// Calls body(head width).
template <class Body>
void with_tiles(Index D, const Body& body) {
  if (D == 64) return body(Constant<64>{});
  body(Constant<128>{});
}

}  // namespace aha::cuda
