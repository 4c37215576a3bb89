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

/// Positions [first, first + Keys) of a run, rounded, zero behind its last one: put_key(t, d, x) and put_value(t, d, x)
/// store element d of the tile's position t. The block waits before and after.
template <int D, int Keys, class PutKey, class PutValue>
AHA_DEVICE void load_positions(const KvStore& kv, Index kv_head, const Run& run, Index first,
                               const PutKey& put_key, const PutValue& put_value) {
  __syncthreads();
  for (Index b = 0; b < Keys / kKvBlock; ++b) {
    const Index position = first + b * kKvBlock;
    const bool there = position <= run.last_position;
    const float* block = there ? kv_head_of(kv, run.table[position / kKvBlock], kv_head) : nullptr;
    for (Index i = thread(); i < D * kKvBlock; i += threads()) {
      Bf16 x;
      const Index t = i % kKvBlock;  // of the key block, [D][16]
      round_to(there && position + t <= run.last_position ? block[i] : 0.0F, x);
      put_key(b * kKvBlock + t, i / kKvBlock, x);
      const Index s = i / D;  // of the value block, [16][D]
      round_to(there && position + s <= run.last_position ? block[D * kKvBlock + i] : 0.0F, x);
      put_value(b * kKvBlock + s, i % D, x);
    }
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
