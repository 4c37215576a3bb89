#pragma once
// What stands between the product of q, k and v and attention: bias, norms of heads, rotation, and the places of keys and
// values.
#include "trainer/kernels/cuda/kv_store.h"

namespace aha::cuda {

/// The same head of q, k or v of neighbouring rows.
struct Heads {
  const float* x;  ///< of the first row
  int width;       ///< from row to row
  const float* bias;
  const float* weight;  ///< of the norm; null: none

  AHA_DEVICE float biased(int row, int d) const {
    return x[row * width + d] + (bias == nullptr ? 0.0F : bias[d]);
  }
  AHA_DEVICE float normed(int row, int d, float inv) const {
    const float value = biased(row, d);
    return weight == nullptr ? value : value * inv * weight[d];
  }
};

/// One over the root mean square of a head, in every lane; `raw`, where there is one, gets what that is of.
AHA_DEVICE float inverse_rms(const Heads& heads, int row, int D, float eps, float* raw) {
  float squares = 0;
  for (int d = lane(); d < D; d += kWarp) {
    const float x = heads.biased(row, d);
    if (raw != nullptr) raw[d] = x;
    squares = fmaf(x, x, squares);
  }
  return 1.0F / sqrtf(lanes_sum(squares) / static_cast<float>(D) + eps);
}

/// Head h of `count` <= R rows by a warp: q's heads, then k's, then v's. put(row, d, x) takes dimension d of first + row. A
/// lane has both dimensions of the pairs that it turns, and reads them, of all rows, before it gives them.
template <int R, class Put>
AHA_DEVICE void finish_heads(const FinishQkv& p, Index first, int count, int h, int rotary,
                             const Put& put) {
  const int H = static_cast<int>(p.H);
  const int Hk = static_cast<int>(p.kv.Hk);
  const int D = static_cast<int>(p.kv.D);
  const bool value = h >= H + Hk;
  const int width = (H + 2 * Hk) * D;
  const bool normed = p.norm != nullptr && !value;
  const Heads heads{p.qkv + first * width + h * D, width,
                    p.bias == nullptr ? nullptr : p.bias + h * D,
                    normed ? p.norm + (h < H ? 0 : D) : nullptr};
  const int half = value ? 0 : rotary / 2;
  int own[R];  // rows, the first in the place of those that are not there
  Index turn[R];
  float inv[R];
  AHA_UNROLL
  for (int r = 0; r < R; ++r) {
    own[r] = r < count ? r : 0;
    turn[r] = Index{p.rows.positions[first + own[r]]} * (rotary / 2);
    inv[r] = 1;
  }
  if (normed) {
    AHA_UNROLL
    for (int r = 0; r < R; ++r) {
      if (r >= count) break;
      const Index kept = (first + r) * (H + Hk) + h;
      inv[r] = inverse_rms(heads, r, D, p.eps, p.raw == nullptr ? nullptr : p.raw + kept * D);
      if (p.inv_rms != nullptr && lane() == 0) p.inv_rms[kept] = inv[r];
    }
  }
  for (int i = lane(); i < half; i += kWarp) {
    float a[R], b[R], cos[R], sin[R];
    AHA_UNROLL
    for (int r = 0; r < R; ++r) {
      a[r] = heads.normed(own[r], i, inv[r]);
      b[r] = heads.normed(own[r], half + i, inv[r]);
      cos[r] = p.cos[turn[r] + i];
      sin[r] = p.sin[turn[r] + i];
    }
    AHA_UNROLL
    for (int r = 0; r < R; ++r) {
      if (r >= count) break;
      put(r, i, fmaf(a[r], cos[r], -(b[r] * sin[r])));
      put(r, half + i, fmaf(b[r], cos[r], a[r] * sin[r]));
    }
  }
  for (int d = 2 * half + lane(); d < D; d += kWarp) {
    float x[R];
    AHA_UNROLL
    for (int r = 0; r < R; ++r)
      x[r] = heads.normed(own[r], d, inv[r]);
    AHA_UNROLL
    for (int r = 0; r < R; ++r)
      if (r < count) put(r, d, x[r]);
  }
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
