// Attention of rows to the key/value blocks of their sequence, where tensor cores do not serve (attention_*_tiles.cu). A block of
// threads is one row and the query heads of one kv head; each warp goes through every fourth key/value
// block with a running maximum (Milakov and Gimelshein 2018, algorithm 3), and the warps are joined in their
// order. Where a row stands in the batch and what else is in it changes no bit of what this kernel computes; which
// kernel serves is chosen for all rows at once (Attention::together).
#include "trainer/kernels/cuda/attention.h"
#include "trainer/kernels/cuda/mma.h"

namespace aha::cuda {
namespace {

/// Shared memory in floats: what warps have at hand of the store, [warps] heads of a block of 16 bits, and in its place
/// in the end their sums [warps][G][D + 2]; then queries [D][G], weights [warps][16][G].
__host__ __device__ constexpr Index passing_floats(Index G, Index D, bool sixteen) {
  const Index heads = sixteen ? KvStore::head_size(D) / 2 : 0;
  const Index sums = G * (D + 2);
  return kAttentionWarps * (heads > sums ? heads : sums);
}
Index shared_floats(Index G, Index D, bool sixteen) {
  return passing_floats(G, D, sixteen) + G * D + kAttentionWarps * G * kKvBlock;
}

/// A head of a block, to be read by the warp. In f32 where it lies: a warp reads 128 bytes at a time. Of 16 bits it comes
/// to `memory`, 16 bytes a lane and several at a time.
AHA_DEVICE const float* at_hand(const float* head, Index, float*) {
  return head;
}
AHA_DEVICE const Bf16* at_hand(const Bf16* head, Index D, float* memory) {
  constexpr int kAtATime = 4;
  const auto* from = reinterpret_cast<const Eight*>(head);
  auto* to = reinterpret_cast<Eight*>(memory);
  const Index count = KvStore::head_size(D) / 8;
  for (Index first = lane(); first < count; first += kAtATime * kWarp) {
    Eight part[kAtATime];
    AHA_UNROLL
    for (int i = 0; i < kAtATime; ++i)
      if (first + i * kWarp < count) part[i] = from[first + i * kWarp];
    AHA_UNROLL
    for (int i = 0; i < kAtATime; ++i)
      if (first + i * kWarp < count) to[first + i * kWarp] = part[i];
  }
  __syncwarp();
  return reinterpret_cast<const Bf16*>(memory);
}

/// What a warp has seen of its keys: maxima and sums of exponentials (over the lanes), weighted values.
template <int G, int C>
struct Running {
  float top[G], sum[G], out[G][C];
};

/// Scaled scores of this lane's position, lane mod 16, of one key block [D][16]; both halves have them.
template <int G, class Element>
AHA_DEVICE void scores_of(const Element* keys, const float* q, Index D, float scale,
                          float (&score)[G]) {
  for (int g = 0; g < G; ++g)
    score[g] = 0;
  for (Index d = lane() / 16; d < D; d += 2) {
    const float k = widened(keys[d * kKvBlock + lane() % 16]);
    for (int g = 0; g < G; ++g)
      score[g] = fmaf(q[d * G + g], k, score[g]);
  }
  for (int g = 0; g < G; ++g)
    score[g] = (score[g] + __shfl_xor_sync(kAllLanes, score[g], 16)) * scale;
}

/// Takes one key/value block in, of which `positions` are the row's.
template <int G, int C, class Element>
AHA_DEVICE void take(const Element* keys, const float* q, Index D, Index positions, float* weights,
                     Running<G, C>& r) {
  float score[G];
  scores_of(keys, q, D, scale_of(D), score);
  const Index t = lane() % 16;
  for (int g = 0; g < G; ++g) {
    const float s = t < positions ? score[g] : -INFINITY;
    const float highest = lanes_max<16>(s);
    const float top = r.top[g] > highest ? r.top[g] : highest;
    const float kept = exp_of(r.top[g] - top);
    const float weight = exp_of(s - top);
    r.top[g] = top;
    r.sum[g] = fmaf(r.sum[g], kept, weight);
    for (int c = 0; c < C; ++c)
      r.out[g][c] *= kept;
    if (lane() < 16) weights[t * G + g] = weight;
  }
  __syncwarp();
  const Element* values = keys + D * kKvBlock;
  for (Index at = 0; at < positions; ++at)
    for (int c = 0; c < C; ++c) {
      const Index d = lane() + kWarp * c;
      if (d >= D) continue;
      const float v = widened(values[at * D + d]);
      for (int g = 0; g < G; ++g)
        r.out[g][c] = fmaf(weights[at * G + g], v, r.out[g][c]);
    }
  __syncwarp();  // all is read: the next block's may be written
}

template <int G, int C, class Element>
__global__ void attend(Attention p) {
  const Index D = p.kv.D;
  const Index row = block_x();
  const Queries heads = queries_of(p.H, p.kv.Hk, G);
  const Index position = p.rows.positions[row];
  const std::int32_t* table = p.rows.tables[row];
  auto* passing = shared_memory<float>();
  float* q = passing + passing_floats(G, D, sizeof(Element) == 2);
  float* weights = q + G * D + warp() * G * kKvBlock;
  float* at_warp = passing + warp() * KvStore::head_size(D) / 2;
  load_queries<G>(p.qkv + row * (p.H + 2 * p.kv.Hk) * D, heads, D, q);
  __syncthreads();

  Running<G, C> r;
  for (int g = 0; g < G; ++g) {
    r.top[g] = -INFINITY;
    r.sum[g] = 0;
    for (int c = 0; c < C; ++c)
      r.out[g][c] = 0;
  }
  for (Index b = warp(); b <= position / kKvBlock; b += kAttentionWarps) {
    const Index left = position + 1 - b * kKvBlock;
    const auto* head = kv_head_of<Element>(p.kv, table[b], heads.kv_head);
    take<G, C>(at_hand(head, D, at_warp), q, D, left < kKvBlock ? left : kKvBlock, weights, r);
  }
  __syncthreads();  // no warp has anything at hand any more
  float* sums = passing;
  for (int g = 0; g < G; ++g) {
    float* own = sums + (warp() * G + g) * (D + 2);
    const float sum = lanes_sum<16>(r.sum[g]);
    for (int c = 0; c < C; ++c)
      if (lane() + kWarp * c < D) own[lane() + kWarp * c] = r.out[g][c];
    if (lane() == 0) own[D] = r.top[g];
    if (lane() == 0) own[D + 1] = sum;
  }
  __syncthreads();
  for (Index i = thread(); i < heads.count * D; i += threads()) {
    const Index g = i / D;
    float top = -INFINITY;
    for (int w = 0; w < kAttentionWarps; ++w)
      top = fmaxf(top, sums[(w * G + g) * (D + 2) + D]);
    float sum = 0;
    float out = 0;
    for (int w = 0; w < kAttentionWarps; ++w) {
      const float* part = sums + (w * G + g) * (D + 2);
      const float share = exp_of(part[D] - top);
      sum = fmaf(part[D + 1], share, sum);
      out = fmaf(part[i % D], share, out);
    }
    const Index head = row * p.H + heads.first + g;
    p.out[head * D + i % D] = out / sum;
    if (p.lse != nullptr && i % D == 0) p.lse[head] = top + log_of(sum);
  }
}

}  // namespace

void attention(const Exec&, const Attention& p) {
  if (attention_tiles(p) || attention_row_tiles(p)) return;
  const Index group = p.H / p.kv.Hk;
  with_shape(group, p.kv.D, [&](auto heads, auto columns) {
    constexpr int G = decltype(heads)::value;
    constexpr int C = decltype(columns)::value;
    const bool sixteen = p.kv.type != FloatType::F32;
    const Grid grid{p.rows.M, p.kv.Hk * ceil_div(group, G), kAttentionWarps * kWarp,
                    4 * shared_floats(G, p.kv.D, sixteen)};
    if (sixteen)
      launch(grid, attend<G, C, Bf16>, p);
    else
      launch(grid, attend<G, C, float>, p);
  });
}

}  // namespace aha::cuda
