#pragma once
// What attention on tensor cores shares: rows in windows, runs of one sequence within them.
#include "trainer/kernels/cuda/attention.h"
#include "trainer/kernels/cuda/mma.h"

namespace aha::cuda {

constexpr int kTileRows = 16;

/// Numbers between rows of `columns` in shared memory: 16 bytes more, for the banks.
constexpr Index tile_stride(Index columns) {
  return columns + 8;
}

/// C [16, 8] of zeros.
AHA_DEVICE void clear(float (&c)[4]) {
  for (int i = 0; i < 4; ++i)
    c[i] = 0;
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

/// The 16 rows of one query head that a warp has: a block is Heads of them, or, of fewer heads, more rows.
template <int Heads>
struct TileRows {
  static constexpr Index kWindow = kAttentionWarps / Heads * kTileRows;

  AHA_DEVICE TileRows(const KvRows& rows, const Queries& heads)
      : first(block_x() * kWindow),
        end(first + kWindow < rows.M ? first + kWindow : rows.M),
        own(first + warp() / Heads * kTileRows),
        head(heads.first + warp() % Heads),
        busy(warp() % Heads < heads.count),
        row{own + lane() / 4, own + lane() / 4 + 8} {}

  /// Whether this lane's row is one.
  AHA_DEVICE bool there(int half) const { return busy && row[half] < end; }
  /// Where it stands in a run; -1: it is not of it.
  AHA_DEVICE Index position(const KvRows& rows, const Run& run, int half) const {
    return busy && row[half] >= run.first && row[half] < run.end ? rows.positions[row[half]] : -1;
  }
  /// The last position that the warp's rows look at in a run; -1: none is of it.
  AHA_DEVICE Index last(const KvRows& rows, const Run& run) const {
    const Index stop = own + kTileRows < run.end ? own + kTileRows : run.end;
    return busy && stop > (own > run.first ? own : run.first) ? rows.positions[stop - 1] : -1;
  }

  Index first, end;  ///< the block's rows
  Index own;         ///< the first of the warp's
  Index head;
  bool busy;
  Index row[2];  ///< of this lane
};

/// The lane's part of 16 rows [D] as the left operand of products; `rows` are `width` apart.
template <int D, int Heads>
AHA_DEVICE void load_left(const TileRows<Heads>& t, const float* rows, Index width,
                          std::uint32_t (&to)[D / 16][4]) {
  AHA_UNROLL
  for (int k = 0; k < D / 16; ++k)
    for (int i = 0; i < 4; ++i) {
      const bool there = t.there(i % 2);
      const float* x = rows + (there ? t.row[i % 2] * width + t.head * D : 0) + 16 * k + i / 2 * 8 +
                       2 * (lane() % 4);
      to[k][i] = there ? bf16_pair(x[0], x[1]) : 0;
    }
}

/// `count` positions of a head of a block (16 or more: all; 0 or less: none), zeros behind them: put_keys(t, d, x) takes
/// dimension d of positions t to t + 7, put_values(t, d, x) dimensions d to d + 7 of position t.
template <int D, class PutKeys, class PutValues>
AHA_DEVICE void load_block(const Bf16* head, Index count, const PutKeys& put_keys,
                           const PutValues& put_values) {
  const auto* keys = reinterpret_cast<const Eight*>(head);  // [D][16]
  const Eight* values = keys + 2 * D;                       // [16][D]
  for (Index i = thread(); i < 2 * D; i += threads()) {
    const Index t = i % 2 * 8;
    Eight x{};
    if (t < count) x = keys[i];
    AHA_UNROLL
    for (int pair = 0; pair < 4; ++pair) {
      const Index left = count - t - 2 * pair;
      x.pair[pair] &= left >= 2 ? 0xffffffffU : left == 1 ? 0xffffU : 0U;
    }
    put_keys(t, i / 2, x);
    const Index position = i % kKvBlock;  // two neighbouring threads have 32 bytes of every value
    const Index d = i / kKvBlock;
    put_values(position, 8 * d, position < count ? values[position * (D / 8) + d] : Eight{});
  }
}

/// The same of positions [first, first + Keys) of a run. The block waits before and after.
template <int D, int Keys, class PutKeys, class PutValues>
AHA_DEVICE void load_positions(const KvStore& kv, Index kv_head, const Run& run, Index first,
                               const PutKeys& put_keys, const PutValues& put_values) {
  __syncthreads();
  for (Index b = 0; b < Keys; b += kKvBlock) {
    const Index count = run.last_position + 1 - first - b;
    const Index block = count > 0 ? run.table[(first + b) / kKvBlock] : 0;
    load_block<D>(
        kv_head_of<Bf16>(kv, block, kv_head), count,
        [&](Index t, Index d, const Eight& x) { put_keys(b + t, d, x); },
        [&](Index t, Index d, const Eight& x) { put_values(b + t, d, x); });
  }
  __syncthreads();
}

/// Sum over the four lanes that hold a row, in each of them.
AHA_DEVICE float row_sum(float x) {
  x += __shfl_xor_sync(kAllLanes, x, 1);
  return x + __shfl_xor_sync(kAllLanes, x, 2);
}

/// Calls body(query heads a block, head width) where tensor cores serve; false: they do not.
template <class Body>
bool with_tiles(Index group, Index D, const Body& body) {
  const auto with_width = [&](auto heads) {
    if (D == 64) return body(heads, Constant<64>{}), true;
    if (D == 128) return body(heads, Constant<128>{}), true;
    return false;
  };
  if (group == 1) return with_width(Constant<1>{});
  if (group == 2) return with_width(Constant<2>{});
  return with_width(Constant<4>{});
}

}  // namespace aha::cuda
