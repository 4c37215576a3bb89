// dk and dv of attention on tensor cores: what part_grads of attention_backward.cu computes, for the blocks of a part, one
// a warp, which share the part's queries in shared memory. p and ds are rounded to bf16 as operands, as are q, k, v and
// dout; all sums are f32.
#include "trainer/kernels/cuda/attention_tiles.h"

namespace aha::cuda {
namespace {

static_assert(kPartBlocks == kAttentionWarps);

/// The queries of a part, which stand as in TileQueries, from number 0 on.
struct PartQueries {
  AHA_DEVICE PartQueries(const AttentionBackward& p, const KvPart& part)
      : first_row(static_cast<int>(part.first_row)),
        first_vector(static_cast<int>(part.first_row * p.H + block_y() * (p.H / p.kv.Hk))),
        count(static_cast<int>((part.end_row - part.first_row) * (p.H / p.kv.Hk))),
        others(static_cast<int>(p.H - p.H / p.kv.Hk)),
        reciprocal(static_cast<unsigned>((1U << 31U) / (p.H / p.kv.Hk)) + 1) {}

  /// query / group, exact while query * group < 2^31: the product is too large by less than query 2^-31.
  AHA_DEVICE int row_of(int query) const {
    return static_cast<int>(static_cast<std::uint64_t>(query) * reciprocal >> 31U);
  }
  AHA_DEVICE Index row(int query) const { return first_row + row_of(query); }
  /// Of [M, H].
  AHA_DEVICE Index vector(int query) const { return first_vector + query + row_of(query) * others; }

  int first_row, first_vector;
  int count;
  int others;           ///< heads of a row that are not of the group
  unsigned reciprocal;  ///< of the group
};

/// Queries in shared memory.
template <int D>
struct QueryTile {
  static constexpr int kQueries = 4096 / D;
  static constexpr int kStride = tile_stride(D);
  static constexpr int kBytes = 4 * kQueries * kStride + 12 * kQueries;

  AHA_DEVICE explicit QueryTile(unsigned char* memory)
      : q(reinterpret_cast<Bf16*>(memory)),
        dout(q + kQueries * kStride),
        lse(reinterpret_cast<float*>(dout + kQueries * kStride)),
        delta(lse + kQueries),
        position(reinterpret_cast<int*>(delta + kQueries)) {}

  /// Asks for those from number `first` on; zeros behind the last, which look at nothing. The block takes part, some
  /// neighbouring threads a query.
  AHA_DEVICE void load(const AttentionBackward& p, const KeptQueries& kept, const PartQueries& queries,
                       int first) const {
    constexpr int kEach = kTileThreads / kQueries;
    const int own = thread() / kEach;
    const bool there = first + own < queries.count;
    const int query = there ? first + own : 0;
    const Index vector = queries.vector(query);
    const int d = thread() % kEach * 8;
    AHA_UNROLL
    for (int i = 0; i < D; i += 8 * kEach) {
      copy_later<16>(kept.q + vector * D + d + i, there ? 16 : 0, q + own * kStride + d + i);
      copy_later<16>(kept.dout + vector * D + d + i, there ? 16 : 0, dout + own * kStride + d + i);
    }
    if (d > 0) return;
    copy_later<4>(p.lse + vector, there ? 4 : 0, lse + own);
    copy_later<4>(kept.delta + vector, there ? 4 : 0, delta + own);
    if (there)
      copy_later<4>(p.rows.positions + queries.row(query), 4, position + own);
    else
      position[own] = -1;
  }

  Bf16 *q, *dout;  ///< [kQueries][D]
  float *lse, *delta;
  int* position;
};

/// What a lane holds of its warp's block.
template <int D>
struct BlockState {
  std::uint32_t keys[D / 16][4], values[D / 16][4];
  float dk[D / 8][4], dv[D / 8][4];  ///< dk but for the scale
  int first;                         ///< position of the block
};

/// Shared memory of a warp's keys [D][16] and values [16][D].
constexpr int kBlockStride = tile_stride(static_cast<int>(kKvBlock));
constexpr Index block_numbers(int D) {
  return D * kBlockStride + kKvBlock * tile_stride(D);
}
template <int D>
constexpr Index kPartBytes = 2 * QueryTile<D>::kBytes > 2 * kPartBlocks* block_numbers(D)
                                 ? 2 * QueryTile<D>::kBytes
                                 : 2 * kPartBlocks* block_numbers(D);

/// The block's keys and values as left operands, by way of the warp's part of shared memory.
template <int D>
AHA_DEVICE void load_block(const Bf16* head, BlockState<D>& s) {
  Bf16* keys = shared_memory<Bf16>() + warp() * block_numbers(D);
  Bf16* values = keys + D * kBlockStride;
  for (int i = lane(); i < 2 * D; i += kWarp) {
    copy_later<16>(head + 8 * i, 16, keys + i / 2 * kBlockStride + i % 2 * 8);
    copy_later<16>(head + kKvBlock * D + 8 * i, 16,
                   values + i / (D / 8) * tile_stride(D) + i % (D / 8) * 8);
  }
  wait_for_copies();
  __syncwarp();
  AHA_UNROLL
  for (int k = 0; k < D / 16; ++k) {
    left_of_columns(keys + 16 * k * kBlockStride, kBlockStride, s.keys[k]);
    left_of_rows(values + 16 * k, tile_stride(D), s.values[k]);
  }
}

/// Queries that a warp takes in at a time.
constexpr int kAtATime = 16;

/// p and ds over the scale of the block's positions, which are the rows, with the tile's queries from `first` on; zero
/// where a query does not look.
template <int D>
AHA_DEVICE void part_slopes(const BlockState<D>& s, const QueryTile<D>& tile, int first, bool all,
                            float (&weight)[kAtATime / 8][4], float (&slope)[kAtATime / 8][4]) {
  constexpr int kStride = QueryTile<D>::kStride;
  AHA_UNROLL
  for (int n = 0; n < kAtATime / 8; ++n) {
    clear(weight[n]);
    clear(slope[n]);
  }
  AHA_UNROLL
  for (int k = 0; k < D / 16; ++k)
    AHA_UNROLL
  for (int n = 0; n < kAtATime / 16; ++n) {
    const int at = (first + 16 * n) * kStride + 16 * k;
    Rights right;
    right_of_rows(tile.q + at, kStride, right);
    mma(weight[2 * n], s.keys[k], right[0]);
    mma(weight[2 * n + 1], s.keys[k], right[1]);
    right_of_rows(tile.dout + at, kStride, right);
    mma(slope[2 * n], s.values[k], right[0]);
    mma(slope[2 * n + 1], s.values[k], right[1]);
  }
  const float scale = scale_of(D) * kLog2E;
  AHA_UNROLL
  for (int n = 0; n < kAtATime / 8; ++n) {
    const int query = first + 8 * n + 2 * (lane() % 4);
    const Two lse = two_at(tile.lse + query);
    const Two delta = two_at(tile.delta + query);
    for (int i = 0; i < 4; ++i) {
      weight[n][i] = exp2_of(fmaf(weight[n][i], scale, -lse.x[i % 2] * kLog2E));
      slope[n][i] = weight[n][i] * (slope[n][i] - delta.x[i % 2]);
    }
  }
  if (all) return;
  AHA_UNROLL
  for (int n = 0; n < kAtATime / 8; ++n)
    for (int i = 0; i < 4; ++i) {
      const int position = tile.position[first + 8 * n + 2 * (lane() % 4) + i % 2];
      // else keys and values may be anything
      if (s.first + lane() / 4 + i / 2 * 8 > position) weight[n][i] = slope[n][i] = 0;
    }
}

/// Adds what the tile's queries from `first` on give.
template <int D>
AHA_DEVICE void take_queries(BlockState<D>& s, const QueryTile<D>& tile, int first, bool all) {
  constexpr int kStride = QueryTile<D>::kStride;
  float weight[kAtATime / 8][4], slope[kAtATime / 8][4];
  part_slopes<D>(s, tile, first, all, weight, slope);
  AHA_UNROLL
  for (int n = 0; n < kAtATime / 16; ++n) {
    std::uint32_t weights[4], slopes[4];
    left_of(weight[2 * n], weight[2 * n + 1], weights);
    left_of(slope[2 * n], slope[2 * n + 1], slopes);
    AHA_UNROLL
    for (int d = 0; d < D / 16; ++d) {
      const int at = (first + 16 * n) * kStride + 16 * d;
      Rights right;
      right_of_columns(tile.dout + at, kStride, right);
      mma(s.dv[2 * d], weights, right[0]);
      mma(s.dv[2 * d + 1], weights, right[1]);
      right_of_columns(tile.q + at, kStride, right);
      mma(s.dk[2 * d], slopes, right[0]);
      mma(s.dk[2 * d + 1], slopes, right[1]);
    }
  }
}

/// Adds what a tile gives, of which `count` queries are there.
template <int D>
AHA_DEVICE void take_tile(BlockState<D>& s, const QueryTile<D>& tile, int count) {
  for (int first = 0; first < count && first < tile.kQueries; first += kAtATime) {
    const int end = first + kAtATime;
    if (tile.position[(end < count ? end : count) - 1] < s.first) continue;
    take_queries<D>(s, tile, first, end <= count && s.first + kKvBlock - 1 <= tile.position[first]);
  }
}

/// partial [part][block][Hk][K: D x 16 | V: 16 x D] = the part's sums.
template <int D>
__global__ void AHA_BLOCKS(kTileThreads, D == 64 ? 3 : 2)
    part_tiles(AttentionBackward p, KeptQueries kept, float* partial) {
  const KvPart part = p.parts[block_x()];
  const PartQueries queries(p, part);
  const bool busy = warp() < part.blocks;
  const Index index = part.index + (busy ? warp() : 0);
  BlockState<D> s;
  s.first = static_cast<int>(index * kKvBlock);
  load_block<D>(kv_head_of<Bf16>(p.kv, p.rows.tables[part.first_row][index], block_y()), s);
  AHA_UNROLL
  for (int d = 0; d < D / 8; ++d) {
    clear(s.dk[d]);
    clear(s.dv[d]);
  }
  const auto tile = [](int which) {
    return QueryTile<D>(shared_memory<unsigned char>() + which * QueryTile<D>::kBytes);
  };
  __syncthreads();  // keys and values are read
  tile(0).load(p, kept, queries, 0);
  int which = 0;
  for (int first = 0; first < queries.count; first += QueryTile<D>::kQueries) {
    const int next = first + QueryTile<D>::kQueries;
    wait_for_copies();
    __syncthreads();  // and the tile before is used up
    if (next < queries.count) tile(1 - which).load(p, kept, queries, next);
    if (busy) take_tile<D>(s, tile(which), queries.count - first);
    which = 1 - which;
  }
  if (!busy) return;
  float* keys =
      partial + ((block_x() * kPartBlocks + warp()) * p.kv.Hk + block_y()) * KvStore::head_size(D);
  AHA_UNROLL
  for (int d = 0; d < D / 8; ++d)
    for (int half = 0; half < 2; ++half) {
      const int position = lane() / 4 + 8 * half;
      const int column = 8 * d + 2 * (lane() % 4);
      for (int i = 0; i < 2; ++i)
        keys[(column + i) * kKvBlock + position] = s.dk[d][2 * half + i] * scale_of(D);
      put_two(keys + kKvBlock * D + position * D + column, s.dv[d][2 * half],
              s.dv[d][2 * half + 1]);
    }
}

}  // namespace

void backward_part_tiles(const AttentionBackward& p, const KeptQueries& kept, Index parts,
                         float* partial) {
  with_tiles(p.kv.D, [&](auto width) {
    constexpr int D = decltype(width)::value;
    launch({parts, p.kv.Hk, kTileThreads, kPartBytes<D>}, part_tiles<D>, p, kept, partial);
  });
}

}  // namespace aha::cuda
