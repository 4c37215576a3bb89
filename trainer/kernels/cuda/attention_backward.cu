// Backward of attention, without atomic additions. With p = exp(scale q k - lse), delta = dout . out and
// ds = scale p (dout . v - delta): dq = sum over keys ds k, by row; dk = sum over queries ds q and
// dv = sum over queries p dout, by parts of a block's queries whose sums are added in their order.
#include "trainer/kernels/cuda/attention.h"

namespace aha::cuda {
namespace {

/// Queries that a part's block takes in at a time.
constexpr int kTile = 16;

/// Of parts' sums that are held at a time: in tests so few that there is more than one time.
#ifdef AHA_CUDA_ON_HOST
constexpr Index kPartialFloats = Index{1} << 14;
#else
constexpr Index kPartialFloats = kMostPartialSums;
#endif

/// dq of one row and the query heads of one kv head; delta [M, H] is written.
template <int G, int C>
__global__ void query_grads(AttentionBackward p, float* delta) {
  const Index D = p.kv.D;
  const Index row = block_x();
  const Queries heads = queries_of(p.H, p.kv.Hk, G);
  const Index position = p.rows.positions[row];
  const Index width = (p.H + 2 * p.kv.Hk) * D;
  auto* q = shared_memory<float>();
  float* dout = q + G * D;
  float* deltas = dout + G * D;
  float* slopes = deltas + G + warp() * G * kKvBlock;
  float* sums = deltas + G + kAttentionWarps * G * kKvBlock;  // [warps][G][D]
  load_queries<G>(p.qkv + row * width, heads, D, q);
  load_queries<G>(p.dout + row * p.H * D, heads, D, dout);
  __syncthreads();
  for (int g = warp(); g < G; g += kAttentionWarps) {
    const Index head = row * p.H + heads.first + g;
    float product = 0;
    for (Index d = lane(); d < D && g < heads.count; d += kWarp)
      product = fmaf(dout[d * G + g], p.out[head * D + d], product);
    product = lanes_sum(product);
    if (lane() == 0) deltas[g] = product;
    if (lane() == 0 && g < heads.count) delta[head] = product;
  }
  __syncthreads();

  float dq[G][C];
  for (int g = 0; g < G; ++g)
    for (int c = 0; c < C; ++c)
      dq[g][c] = 0;
  const Index t = lane() % 16;
  for (Index b = warp(); b <= position / kKvBlock; b += kAttentionWarps) {
    const Index keys = kv_head_at(p.kv, p.rows.tables[row][b], heads.kv_head);
    const Index values = keys + D * kKvBlock;
    float score[G], product[G];
    for (int g = 0; g < G; ++g)
      score[g] = product[g] = 0;
    for (Index d = lane() / 16; d < D; d += 2) {
      const float k = kv_element(p.kv, keys + d * kKvBlock + t);
      const float v = kv_element(p.kv, values + t * D + d);
      for (int g = 0; g < G; ++g) {
        score[g] = fmaf(q[d * G + g], k, score[g]);
        product[g] = fmaf(dout[d * G + g], v, product[g]);
      }
    }
    const Index left = position + 1 - b * kKvBlock;
    for (int g = 0; g < G; ++g) {
      score[g] += __shfl_xor_sync(kAllLanes, score[g], 16);
      product[g] += __shfl_xor_sync(kAllLanes, product[g], 16);
      if (lane() >= 16) continue;
      float slope = 0;
      if (t < left && g < heads.count) {
        const float lse = p.lse[row * p.H + heads.first + g];
        slope = exp_of(score[g] * scale_of(D) - lse) * (product[g] - deltas[g]) * scale_of(D);
      }
      slopes[t * G + g] = slope;
    }
    __syncwarp();
    for (Index at = 0; at < left && at < kKvBlock; ++at)
      for (int c = 0; c < C; ++c) {
        const Index d = lane() + kWarp * c;
        if (d >= D) continue;
        const float k = kv_element(p.kv, keys + d * kKvBlock + at);
        for (int g = 0; g < G; ++g)
          dq[g][c] = fmaf(slopes[at * G + g], k, dq[g][c]);
      }
    __syncwarp();
  }
  for (int g = 0; g < G; ++g)
    for (int c = 0; c < C; ++c)
      if (lane() + kWarp * c < D) sums[(warp() * G + g) * D + lane() + kWarp * c] = dq[g][c];
  __syncthreads();
  for (Index i = thread(); i < heads.count * D; i += threads()) {
    float sum = 0;
    for (int w = 0; w < kAttentionWarps; ++w)
      sum += sums[w * G * D + i];
    p.dqkv[row * width + heads.first * D + i] = sum;
  }
}

/// What a part's block holds in shared memory; rows of D are one float longer, for the banks.
struct Tile {
  float *keys, *values;     ///< [D][16], [D][16]
  float *q, *dout;          ///< [kTile][D + 1]
  float *weights, *slopes;  ///< [kTile][16]
};

AHA_DEVICE Tile tile_of(Index D) {
  Tile t;
  t.keys = shared_memory<float>();
  t.values = t.keys + D * kKvBlock;
  t.q = t.values + D * kKvBlock;
  t.dout = t.q + kTile * (D + 1);
  t.weights = t.dout + kTile * (D + 1);
  t.slopes = t.weights + kTile * kKvBlock;
  return t;
}

Index tile_floats(Index D) {
  return 2 * D * kKvBlock + 2 * kTile * (D + 1) + 2 * kTile * kKvBlock;
}

/// Query number `item` of a part: row and head.
struct Query {
  Index row, head;
};
AHA_DEVICE Query query_of(const AttentionBackward& p, const KvPart& part, Index kv_head,
                          Index item) {
  const Index group = p.H / p.kv.Hk;
  return {part.first_row + item / group, kv_head * group + item % group};
}

/// weights and slopes of `count` queries from `first` on with the 16 positions of block `index` of their table.
AHA_DEVICE void slopes_of(const AttentionBackward& p, const KvPart& part, Index kv_head,
                          Index index, const float* delta, Index first, Index count,
                          const Tile& t) {
  const Index D = p.kv.D;
  for (Index i = thread(); i < kTile * kKvBlock; i += threads()) {
    const Index j = i / kKvBlock;
    const Index lane = i % kKvBlock;
    float score = 0;
    float product = 0;
    if (j < count)
      for (Index d = 0; d < D; ++d) {
        score = fmaf(t.q[j * (D + 1) + d], t.keys[d * kKvBlock + lane], score);
        product = fmaf(t.dout[j * (D + 1) + d], t.values[d * kKvBlock + lane], product);
      }
    float weight = 0;
    float slope = 0;
    if (j < count) {
      const Query query = query_of(p, part, kv_head, first + j);
      const Index head = query.row * p.H + query.head;
      if (index * kKvBlock + lane <= p.rows.positions[query.row]) {
        weight = exp_of(score * scale_of(D) - p.lse[head]);
        slope = weight * (product - delta[head]) * scale_of(D);
      }
    }
    t.weights[i] = weight;
    t.slopes[i] = slope;
  }
}

/// partial [part][block][Hk][K: D x 16 | V: 16 x D] = the part's sums; a thread owns (dimension, position) pairs.
template <int Pairs>
__global__ void part_grads(AttentionBackward p, const float* delta, float* partial) {
  const Index D = p.kv.D;
  const Index kv_head = block_y() / kPartBlocks;
  const Index b = block_y() % kPartBlocks;
  const KvPart part = p.parts[block_x()];
  if (b >= part.blocks) return;
  const Index index = part.index + b;
  const Index width = (p.H + 2 * p.kv.Hk) * D;
  const Tile t = tile_of(D);
  const Index keys = kv_head_at(p.kv, p.rows.tables[part.first_row][index], kv_head);
  for (Index i = thread(); i < D * kKvBlock; i += threads()) {
    t.keys[i] = kv_element(p.kv, keys + i);
    t.values[i] = kv_element(p.kv, keys + D * kKvBlock + i % kKvBlock * D + i / kKvBlock);
  }
  float dk[Pairs], dv[Pairs];
  for (int i = 0; i < Pairs; ++i)
    dk[i] = dv[i] = 0;
  const Index queries = (part.end_row - part.first_row) * (p.H / p.kv.Hk);
  for (Index first = 0; first < queries; first += kTile) {
    const Index count = queries - first < kTile ? queries - first : kTile;
    __syncthreads();  // the tile before is used up
    for (Index i = thread(); i < count * D; i += threads()) {
      const Query query = query_of(p, part, kv_head, first + i / D);
      t.q[i / D * (D + 1) + i % D] = p.qkv[query.row * width + query.head * D + i % D];
      t.dout[i / D * (D + 1) + i % D] = p.dout[(query.row * p.H + query.head) * D + i % D];
    }
    __syncthreads();
    slopes_of(p, part, kv_head, index, delta, first, count, t);
    __syncthreads();
    for (Index j = 0; j < count; ++j)
      for (int i = 0; i < Pairs; ++i) {
        const Index pair = thread() + static_cast<Index>(i) * threads();
        if (pair >= D * kKvBlock) continue;
        const Index d = j * (D + 1) + pair / kKvBlock;
        const Index lane = j * kKvBlock + pair % kKvBlock;
        dk[i] = fmaf(t.slopes[lane], t.q[d], dk[i]);
        dv[i] = fmaf(t.weights[lane], t.dout[d], dv[i]);
      }
  }
  float* to = partial + ((block_x() * kPartBlocks + b) * p.kv.Hk + kv_head) * KvStore::head_size(D);
  for (int i = 0; i < Pairs; ++i) {
    const Index pair = thread() + static_cast<Index>(i) * threads();
    if (pair >= D * kKvBlock) continue;
    to[pair] = dk[i];
    to[D * kKvBlock + pair % kKvBlock * D + pair / kKvBlock] = dv[i];
  }
}

/// dkv += those sums of each block that `partial` holds, which are of parts [first, end), one by one in their order: the
/// bits do not depend on where the parts are cut.
__global__ void add_parts(AttentionBackward p, const float* partial, Index first, Index end) {
  const Index size = kv_block_size(p.dkv);
  const Index item = block_y() * threads() + thread();
  if (item >= size) return;
  const KvPartRange range = p.part_ranges[block_x()];
  float* to = static_cast<float*>(p.dkv.data) + range.block * size + item;
  float sum = *to;
  for (Index i = range.first_sum; i < range.end_sum; ++i) {
    const Index at = p.part_sums[i] - first * kPartBlocks;
    if (at >= 0 && at < (end - first) * kPartBlocks) sum += partial[at * size + item];
  }
  *to = sum;
}

/// dq of all rows.
void add_queries(const AttentionBackward& p, const KeptQueries& to) {
  if (on_tiles(p)) return backward_query_tiles(p, to);
  const Index D = p.kv.D;
  const Index group = p.H / p.kv.Hk;
  with_shape(group, D, [&](auto heads, auto columns) {
    constexpr int G = decltype(heads)::value;
    const Index floats = 2 * G * D + G + kAttentionWarps * G * (kKvBlock + D);
    launch({p.rows.M, p.kv.Hk * ceil_div(group, G), kAttentionWarps * kWarp, 4 * floats},
           query_grads<G, decltype(columns)::value>, p, to.delta);
  });
}

/// partial = the sums of each of `count` parts.
void sum_parts(const AttentionBackward& p, const KeptQueries& kept, Index count, float* partial) {
  if (on_tiles(p)) return backward_part_tiles(p, kept, count, partial);
  const Grid grid{count, p.kv.Hk * kPartBlocks, 128, 4 * tile_floats(p.kv.D)};
  if (p.kv.D <= 64)
    launch(grid, part_grads<8>, p, kept.delta, partial);
  else
    launch(grid, part_grads<16>, p, kept.delta, partial);
}

/// dkv += parts [first, first + count).
void add_keys_and_values(const AttentionBackward& p, const KeptQueries& kept, Index first, Index count) {
  auto* partial = scratch_of<float>(Scratch::Partial, count * kPartBlocks * kv_block_size(p.kv));
  AttentionBackward slice = p;
  slice.parts += first;
  sum_parts(slice, kept, count, partial);
  launch({p.num_part_ranges, ceil_div(kv_block_size(p.dkv), 256), 256}, add_parts, p, partial,
         first, first + count);
}

/// Operands of products are not kept while attention goes back: their memory is of the same size or larger.
KeptQueries room_for(const AttentionBackward& p) {
  const Index vectors = p.rows.M * p.H;
  KeptQueries kept{scratch_of<float>(Scratch::Delta, vectors), nullptr, nullptr};
  if (!on_tiles(p)) return kept;
  kept.q = scratch_of<Bf16>(Scratch::Left, vectors * p.kv.D);
  kept.dout = scratch_of<Bf16>(Scratch::Right, vectors * p.kv.D);
  return kept;
}

}  // namespace

void attention_backward(const Exec&, const AttentionBackward& p) {
  const KeptQueries kept = room_for(p);
  add_queries(p, kept);
  const Index held = kPartialFloats / (kPartBlocks * kv_block_size(p.kv)) + 1;
  for (Index first = 0; first < p.num_parts; first += held)
    add_keys_and_values(p, kept, first, p.num_parts - first < held ? p.num_parts - first : held);
}

}  // namespace aha::cuda
