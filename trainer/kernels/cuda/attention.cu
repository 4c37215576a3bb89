// Attention of rows to the key/value blocks of their sequence: decoding, prefill and training alike. A block of
// threads is one row and the query heads of one kv head; each warp goes through every fourth key/value
// block with a running maximum (Milakov and Gimelshein 2018, algorithm 3), and the warps are joined in their
// order. Where a row stands in the batch and what else is in it changes no bit of what this kernel computes; which
// kernel serves is chosen for all rows at once (Attention::together).
#include "trainer/kernels/cuda/attention.h"

namespace aha::cuda {
namespace {

/// Shared memory in floats: queries [D][G], weights [warps][16][G], then sums [warps][G][D + 2].
Index shared_floats(Index G, Index D) {
  return G * D + kAttentionWarps * G * (kKvBlock + D + 2);
}

/// What a warp has seen of its keys: maxima and sums of exponentials (over the lanes), weighted values.
template <int G, int C>
struct Running {
  float top[G], sum[G], out[G][C];
};

/// Scaled scores of this lane's position, lane mod 16, of one key block [D][16]; both halves have them.
template <int G>
AHA_DEVICE void scores_of(const float* keys, const float* q, Index D, float scale,
                          float (&score)[G]) {
  for (int g = 0; g < G; ++g)
    score[g] = 0;
  for (Index d = lane() / 16; d < D; d += 2) {
    const float k = keys[d * kKvBlock + lane() % 16];
    for (int g = 0; g < G; ++g)
      score[g] = fmaf(q[d * G + g], k, score[g]);
  }
  for (int g = 0; g < G; ++g)
    score[g] = (score[g] + __shfl_xor_sync(kAllLanes, score[g], 16)) * scale;
}

/// Takes one key/value block in, of which `positions` are the row's.
template <int G, int C>
AHA_DEVICE void take(const float* keys, const float* q, Index D, Index positions, float* weights,
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
  const float* values = keys + D * kKvBlock;
  for (Index at = 0; at < positions; ++at)
    for (int c = 0; c < C; ++c) {
      const Index d = lane() + kWarp * c;
      if (d >= D) continue;
      const float v = values[at * D + d];
      for (int g = 0; g < G; ++g)
        r.out[g][c] = fmaf(weights[at * G + g], v, r.out[g][c]);
    }
  __syncwarp();  // the weights are read: the next block's may be written
}

template <int G, int C>
__global__ void attend(Attention p) {
  const Index D = p.kv.D;
  const Index row = block_x();
  const Queries heads = queries_of(p.H, p.kv.Hk, G);
  const Index position = p.rows.positions[row];
  const std::int32_t* table = p.rows.tables[row];
  auto* q = shared_memory<float>();
  float* weights = q + G * D + warp() * G * kKvBlock;
  float* sums = q + G * D + kAttentionWarps * G * kKvBlock;
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
    take<G, C>(kv_head_of(p.kv, table[b], heads.kv_head), q, D, left < kKvBlock ? left : kKvBlock,
               weights, r);
  }
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
  if (attention_tiles(p)) return;
  const Index group = p.H / p.kv.Hk;
  with_shape(group, p.kv.D, [&](auto heads, auto columns) {
    constexpr int G = decltype(heads)::value;
    launch({p.rows.M, p.kv.Hk * ceil_div(group, G), kAttentionWarps * kWarp,
            4 * shared_floats(G, p.kv.D)},
           attend<G, decltype(columns)::value>, p);
  });
}

}  // namespace aha::cuda
