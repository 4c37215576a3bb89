#pragma once
// What stands between the product of q, k and v and attention: bias, norms of heads, rotation, and the places of keys and
// values.
#include "trainer/kernels/cuda/kv_store.h"

namespace aha::cuda {

/// A row's head of q, k or v with its bias added, and what of its norm a backward pass needs.
struct Head {
  const float* x;
  const float* bias;
  const float* weight;  ///< of the norm; null: none
  float* raw;

  AHA_DEVICE float biased(int d) const { return x[d] + (bias == nullptr ? 0.0F : bias[d]); }
  AHA_DEVICE float normed(int d, float inv) const {
    const float value = biased(d);
    if (raw != nullptr) raw[d] = value;
    return weight == nullptr ? value : value * inv * weight[d];
  }
};

/// One over the root mean square of a head, in every lane.
AHA_DEVICE float inverse_rms(const Head& head, int D, float eps) {
  float squares = 0;
  for (int d = lane(); d < D; d += kWarp) {
    const float x = head.biased(d);
    squares = fmaf(x, x, squares);
  }
  return 1.0F / sqrtf(lanes_sum(squares) / static_cast<float>(D) + eps);
}

/// Head h of a row by a warp: q's heads, then k's, then v's. put(d, x) takes dimension d. A lane has both dimensions of the
/// pairs that it turns, and reads them before it gives them.
template <class Put>
AHA_DEVICE void finish_head(const FinishQkv& p, Index row, int h, int rotary, const Put& put) {
  const int H = static_cast<int>(p.H);
  const int Hk = static_cast<int>(p.kv.Hk);
  const int D = static_cast<int>(p.kv.D);
  const bool value = h >= H + Hk;
  Head head{p.qkv + (row * (H + 2 * Hk) + h) * D, p.bias == nullptr ? nullptr : p.bias + h * D,
            nullptr, nullptr};
  float inv = 1;
  if (p.norm != nullptr && !value) {
    const Index kept = row * (H + Hk) + h;
    head.weight = p.norm + (h < H ? 0 : D);
    if (p.raw != nullptr) head.raw = p.raw + kept * D;
    inv = inverse_rms(head, D, p.eps);
    if (p.inv_rms != nullptr && lane() == 0) p.inv_rms[kept] = inv;
  }
  const int half = value ? 0 : rotary / 2;
  const float* cos = p.cos + p.rows.positions[row] * (rotary / 2);
  const float* sin = p.sin + p.rows.positions[row] * (rotary / 2);
  for (int i = lane(); i < half; i += kWarp) {
    const float a = head.normed(i, inv);
    const float b = head.normed(half + i, inv);
    put(i, fmaf(a, cos[i], -(b * sin[i])));
    put(half + i, fmaf(b, cos[i], a * sin[i]));
  }
  for (int d = 2 * half + lane(); d < D; d += kWarp)
    put(d, head.normed(d, inv));
}

/// Dimensions of a head that turn.
inline int rotary_of(const FinishQkv& p) {
  return static_cast<int>(p.rotary == 0 ? p.kv.D : p.rotary);
}

/// Where a row's key or value of a kv head goes: its dimensions are `step` elements of the store apart.
struct KvPlace {
  Index first;
  int step;
};
AHA_DEVICE KvPlace place_of(const FinishQkv& p, Index row, int kv_head, bool value) {
  const int position = p.rows.positions[row];
  const int lane_of_block = position % kKvBlock;
  const Index head = kv_head_at(p.kv, p.rows.tables[row][position / kKvBlock], kv_head);
  if (value) return {head + (kKvBlock + lane_of_block) * p.kv.D, 1};
  return {head + lane_of_block, kKvBlock};
}

}  // namespace aha::cuda
