#pragma once
// What operations on rows are given: products, norms, gates, the head, the optimizer.
//
// Legend: M rows, C model width, H query heads, Hk key/value heads, D head width, F MLP width,
// V vocabulary. All f32 but a Weight and where a type stands beside, row-major, `ld*` is the distance
// between rows in elements.
#include <cstdint>

#include "trainer/core/float_type.h"

namespace aha {

using Index = std::int64_t;

constexpr Index kPanel = 16;    ///< columns of a packed weight panel, lanes of a sum
constexpr Index kKvBlock = 16;  ///< positions of a key/value block
constexpr Index kSquaresBlock = 4096;

constexpr Index round_up(Index n, Index unit) {
  return (n + unit - 1) / unit * unit;
}

/// Floats of a packed [N, K] weight: panels [ceil(N/16)][K][16], columns past N are zero.
constexpr Index packed_size(Index N, Index K) {
  return round_up(N, kPanel) * K;
}

/// A weight matrix [N, K] in the type that it is stored in. Kernels widen its elements, which is exact:
/// the bits are those of the same numbers stored as f32. A packed copy beside it saves packing on every
/// use, which small models feel and large ones have no memory for; the bits are the same.
struct Weight {
  const void* rows;                 ///< [N, K] contiguous
  const float* packed = nullptr;    ///< as pack_linear wrote it; null: packed as it is used
  FloatType type = FloatType::F32;  ///< of `rows`
};

/// Y = X W^T, or Y += X W^T: the finished product is added to Y.
struct Linear {
  const float* x;  ///< [M, K], ldx
  Index ldx;
  Weight w;
  void* y;  ///< [M, N], ldy
  Index ldy;
  Index M, N, K;
  bool accumulate = false;
  /// Of Y: F32; or BF16 of a weight of that type, not added to, which a device alone has.
  FloatType y_type = FloatType::F32;
};

/// dX = dY W, or dX += dY W.
struct LinearDx {
  const float* dy;  ///< [M, N], ldy
  Index ldy;
  Weight w;
  void* dx;  ///< [M, K], ldx
  Index ldx;
  Index M, N, K;
  bool accumulate = false;
  FloatType dx_type = FloatType::F32;  ///< of dX, as Y's of Linear
};

/// dW += dY^T X.
struct LinearDw {
  const float* dy;  ///< [M, N], ldy
  Index ldy;
  const float* x;  ///< [M, K], ldx
  Index ldx;
  float* dw;  ///< [N, K] contiguous
  Index M, N, K;
  /// What a device may round dY and X to: the type of the weight. A CPU rounds nothing.
  FloatType type = FloatType::F32;
};

/// y = x * w / sqrt(mean(x^2) + eps)   (Zhang and Sennrich 2019, eq. 4)
struct RmsNorm {
  const float* x;  ///< [M, C]
  const float* w;  ///< [C]
  float* y;        ///< [M, C]
  float* inv_rms;  ///< [M], may be null when no backward follows
  Index M, C;
  float eps;
};

struct RmsNormBackward {
  const float* dy;       ///< [M, C]
  const float* x;        ///< [M, C]
  const float* w;        ///< [C]
  const float* inv_rms;  ///< [M]
  float* dx;             ///< [M, C], added to
  float* dw;             ///< [C], added to: one chain over the rows per column
  Index M, C;
};

/// Rotates q and k of fused rows [q: H*D | k: Hk*D | v: Hk*D] in place, half-split layout (Su et al.
/// 2021 as in Hugging Face Llama): (a, b) = (x[i], x[i + D/2]) -> (a cos - b sin, b cos + a sin).
/// `inverse` rotates back: the backward pass.
struct Rope {
  float* qkv;                     ///< [M, (H + 2 Hk) D]
  const std::int32_t* positions;  ///< [M]
  const float* cos;               ///< [max position, D/2]
  const float* sin;
  Index M, H, Hk, D;
  bool inverse = false;
  Index rotary =
      0;  ///< R, dimensions of each head that turn, the first ones, in halves; 0: all. cos
          ///< and sin are then [max position, R/2]
};

/// RmsNorm over each head of q (weights w[0..D)) and of k (w[D..2D)) of fused rows, in place.
struct HeadNorm {
  float* qkv;      ///< [M, (H + 2 Hk) D]
  const float* w;  ///< [2, D]
  float* raw;      ///< [M, (H + Hk) D] q and k before it; null when no backward follows
  float* inv_rms;  ///< [M, H + Hk]; null with raw
  Index M, H, Hk, D;
  float eps;
};

struct HeadNormBackward {
  float* dqkv;           ///< [M, (H + 2 Hk) D], the q and k parts in place
  const float* raw;      ///< [M, (H + Hk) D]
  const float* w;        ///< [2, D]
  const float* inv_rms;  ///< [M, H + Hk]
  float* dw;             ///< [2, D], added to: one chain over rows, within a row over heads
  Index M, H, Hk, D;
};

/// y = silu(gate) * up, of fused rows [gate: F | up: F].
struct Swiglu {
  const void* gate_up;  ///< [M, 2F]
  float* y;             ///< [M, F]
  Index M, F;
  FloatType type = FloatType::F32;  ///< of gate_up, as a product's Y
};

struct SwigluBackward {
  const void* gate_up;  ///< [M, 2F]
  const void* dy;       ///< [M, F]
  float* dgate_up;      ///< [M, 2F], may be gate_up itself where that is F32
  Index M, F;
  float* y = nullptr;  ///< [M, F] the forward result again, may be dy itself; null: not wanted
  FloatType type = FloatType::F32;  ///< of gate_up and dy, as a product's Y
};

/// The way back through the product Y = norm(X) W^T: norm(X) once more, dW and dX of the product, and the norm's way
/// back from there.
struct NormLinearBackward {
  RmsNorm norm;
  LinearDx dx;
  LinearDw dw;
  RmsNormBackward back;
};

/// The way back through a block's MLP, Y = swiglu(norm(X) W^T) V^T: dY V, which SwiGLU's way back reads, dV, and the
/// way back to X.
struct MlpBackward {
  LinearDx down_dx;
  SwigluBackward gate;
  LinearDw down_dw;
  NormLinearBackward up;
};

/// Rows of logits that a thread holds at a time: about 2 MB, and with large vocabularies enough rows that the
/// weights, read once a chunk, are not what takes the time.
constexpr Index head_chunk_rows(Index V) {
  const Index rows = (Index{1} << 19) / round_up(V, kPanel);
  return rows < 128 ? 128 : rows > 4096 ? 4096 : rows;
}

/// Log-probability and entropy of targets under softmax(h W^T * inv_temperature) over the first V rows
/// of W, without materialising more than a chunk of rows. entropy = logsumexp(z) - sum softmax(z) z, nats.
struct HeadLogprob {
  const float* h;               ///< [M, C]
  Weight w;                     ///< [V or more, C]
  const std::int64_t* targets;  ///< [M]
  float* logprobs;              ///< [M]
  float* entropies;             ///< [M], may be null
  Index M, C, V;
  float inv_temperature;
  /// Of a device's table: takes what HeadLogprobBackward may begin with, head_kept_floats (device_ops.h); null: nothing.
  float* kept = nullptr;
};

/// Backward of HeadLogprob (logits are computed again, chunk by chunk, where they were not kept):
/// dz_j = inv_temperature * (d_logprob (1[j = target] - p_j) - d_entropy p_j (log p_j + entropy)).
struct HeadLogprobBackward {
  const float* h;               ///< [M, C]
  Weight w;                     ///< [V or more, C]
  const std::int64_t* targets;  ///< [M]
  const float* d_logprob;       ///< [M]
  const float* d_entropy;       ///< [M], may be null
  float* dh;                    ///< [M, C], written
  float* dw;                    ///< [V, C], added to
  Index M, C, V;
  float inv_temperature;
  // read by the tables of devices: what the forward pass gave for the same rows, so that logits need no second sum
  const float* logprobs = nullptr;   ///< [M]
  const float* entropies = nullptr;  ///< [M], with d_entropy
  float* kept = nullptr;             ///< what it kept, if it did; overwritten
};

/// Draws one id a row by inverse CDF of one uniform: ids in ascending order, blocked sums in a fixed
/// order. Truncation (top_k, then top_p, then min_p, as TRL/transformers order them) renormalises what
/// may be drawn; logprob and entropy are of the untruncated distribution, bit-equal to HeadLogprob.
struct HeadSample {
  const float* h;  ///< [M, C]
  Weight w;        ///< [V or more, C]
  const double*
      uniforms;       ///< [M] in (0, 1); null: greedy (the smallest id among the largest logits)
  std::int64_t* ids;  ///< [M]
  float* logprobs;    ///< [M]
  float* entropies;   ///< [M]
  Index M, C, V;
  float inv_temperature;
  Index top_k = 0;  ///< 0: off
  float top_p = 1.0F;
  float min_p = 0.0F;
};

/// Decoupled weight decay Adam (Loshchilov and Hutter 2019), one pass over flat buffers:
///   g' = g * grad_scale; m = b1 m + (1-b1) g'; v = b2 v + (1-b2) g'^2
///   p = p - lr (weight_decay p + (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + eps))
struct AdamW {
  float* p;
  const float* g;
  float* m;
  float* v;
  Index n;
  std::int64_t t;  ///< this update's number, from 1
  double lr, beta1, beta2, eps, weight_decay, grad_scale;
  void* rounded =
      nullptr;  ///< [n] the new p in `type` of 16 bits, as `narrow` rounds; null: not wanted
  FloatType type = FloatType::BF16;
  std::int32_t* too_large = nullptr;  ///< with `rounded`: set to 1 where narrow would return false
};

}  // namespace aha
