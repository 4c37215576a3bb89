#pragma once
// The catalogue of every kernel: plain functions over pointers and sizes, gathered in one table per
// instruction set. The decoder is written against this table and against nothing else.
//
// Bits. Every body computes the same sums in the same order, so that all CPU tables give the same
// bits, for any number of threads and any other rows in the batch:
//  - an output element of a matrix product is one chain of fused multiply-adds over k = 0, 1, 2, ...;
//  - a sum over a row is sixteen lanes (lane = index mod 16), each a chain, then a fixed tree;
//  - exp and log are our own polynomials, evaluated with fused multiply-adds.
// Row r of an output depends on row r of the inputs alone, except where a weight gradient sums over
// rows: that is one chain over the rows in their order.
//
// Legend: M rows, C model width, H query heads, Hk key/value heads, D head width, F MLP width,
// V vocabulary. All f32 but a Weight and where a type stands beside, row-major, `ld*` is the distance between rows in elements.
#include <cstdint>

#include "trainer/core/float_type.h"
#include "trainer/core/parallel.h"
#include "trainer/kernels/memory.h"

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

/// Key/value storage of one layer: blocks of 16 positions. A block holds for each kv head
/// K transposed [D][16] and then V [16][D]. Position p of a sequence whose block table is
/// `table` lives in block table[p / 16], lane p % 16. A sequence may share leading full blocks with others.
struct KvStore {
  void* data;
  Index Hk, D;
  /// F32; or BF16, which a device alone has: what is stored is rounded, and attention reads it exactly.
  FloatType type = FloatType::F32;

  /// Elements of a head in a block, and of a block.
  static constexpr Index head_size(Index D) { return kKvBlock * 2 * D; }
  Index block_size() const { return Hk * head_size(D); }
  float* floats() const { return static_cast<float*>(data); }  ///< of type F32
};

/// Which positions the rows are, and where their sequence's blocks lie.
struct KvRows {
  const std::int32_t* positions;      ///< [M]
  const std::int32_t* const* tables;  ///< [M] block table of the row's sequence
  Index M;
};

/// What follows the product of q, k and v: the bias is added, HeadNorm and Rope in place, then k and v are stored.
struct FinishQkv {
  float* qkv;         ///< [M, (H + 2 Hk) D]
  const float* bias;  ///< [(H + 2 Hk) D]; null: none
  const float* norm;  ///< [2, D] weights of HeadNorm; null: none
  float* raw;         ///< [M, (H + Hk) D] and
  float* inv_rms;     ///< [M, H + Hk] as in HeadNorm
  float eps;
  const float* cos;  ///< [max position, R/2], R as in Rope
  const float* sin;
  Index rotary;
  KvRows rows;
  KvStore kv;
  Index H;
};

/// The widest head that the tables of devices have attention for.
constexpr Index kMaxHeadWidth = 128;

/// Copies lanes [0, lanes) of block `from` to block `to` (all heads): the partly filled last block of a
/// prompt is given to each of its completions. In the backward pass gradients are added the other way.
/// The copies of one block stand together.
struct KvCopy {
  std::int32_t from, to, lanes;
};

/// softmax(q k^T / sqrt(D)) v over positions 0..p of each row at position p; query head h reads kv head
/// h / (H / Hk).
struct Attention {
  const float* qkv;  ///< [M, (H + 2 Hk) D], q rotated
  KvStore kv;
  KvRows rows;
  float* out;  ///< [M, H D]
  float* lse;  ///< [M, H] log sum exp of the scaled scores; may be null when no backward follows
  Index H;
  /// Rows of a sequence are neighbours: prompts and training, not decoding. A device whose store is BF16 rounds q and the
  /// softmax as well, of heads of 64 and 128 whatever this says.
  bool together = false;
};

/// Neighbouring key/value blocks that a part of the backward pass of attention has at most.
constexpr Index kPartBlocks = 4;

/// Some of the rows of one sequence that attend to neighbouring key/value blocks: work for a device. Cut by cut_parts.
struct KvPart {
  std::int64_t index;   ///< of the first block in the rows' table: its first position is 16 * index
  std::int64_t blocks;  ///< at most kPartBlocks
  std::int64_t first_row;  ///< all rows of the part are at that position or after it
  std::int64_t end_row;
};

/// What a block's gradients are the sum of, in this order: entries [first_sum, end_sum) of a list that has
/// kPartBlocks * part + (which of its blocks).
struct KvPartRange {
  std::int64_t block;  ///< in the store
  std::int64_t first_sum;
  std::int64_t end_sum;
};

/// Rows are cut into `sections`: ranges of rows whose blocks no other section touches (a group), so that
/// (section, kv head) pairs are independent work. dk and dv go to `dkv` (same layout as KvStore), zeroed by the caller.
struct AttentionBackward {
  const float* qkv;   ///< [M, (H + 2 Hk) D], q rotated
  const float* out;   ///< [M, H D]
  const float* dout;  ///< [M, H D]
  const float* lse;   ///< [M, H]
  KvStore kv;
  KvStore dkv;  ///< added to
  KvRows rows;
  const Index* section_starts;  ///< [num_sections + 1] into rows
  Index num_sections;
  float* dqkv;  ///< [M, (H + 2 Hk) D]: the q part is written
  Index H;
  // read by the tables of devices, which do not read the sections
  const KvPart* parts = nullptr;
  Index num_parts = 0;
  const std::int64_t* part_sums = nullptr;   ///< what the ranges are of
  const KvPartRange* part_ranges = nullptr;  ///< one a block that any row attends to
  Index num_part_ranges = 0;
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
};

/// Backward of HeadLogprob (logits are computed again, chunk by chunk):
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

struct DeviceOps;  // device_ops.h

/// One table of bodies. Functions check nothing: callers pass valid sizes and ids.
struct Ops {
  const char* name;      ///< "avx512", "avx2", "portable", "cuda"
  const Memory* memory;  ///< where everything lies that a task points to

  void (*zero)(const Exec&, void* to, Index bytes);
  void (*copy)(const Exec&, const void* from, Index bytes, void* to);

  /// Null: this table has no use for packed weights.
  void (*pack_linear)(const Exec&, const Weight& w, Index N, Index K, float* packed);
  void (*linear)(const Exec&, const Linear&);
  void (*linear_dx)(const Exec&, const LinearDx&);
  void (*linear_dw)(const Exec&, const LinearDw&);

  void (*rms_norm)(const Exec&, const RmsNorm&);
  void (*rms_norm_backward)(const Exec&, const RmsNormBackward&);
  /// y[r] += bias, [N]; backward: dbias += y[r] in row order.
  void (*add_bias)(const Exec&, const float* bias, Index M, Index N, float* y);
  void (*add_bias_backward)(const Exec&, const float* dy, Index M, Index N, float* dbias);
  void (*head_norm)(const Exec&, const HeadNorm&);
  void (*head_norm_backward)(const Exec&, const HeadNormBackward&);
  void (*rope)(const Exec&, const Rope&);
  void (*swiglu)(const Exec&, const Swiglu&);
  void (*swiglu_backward)(const Exec&, const SwigluBackward&);

  /// Chains whose rows between the parts a device does not write, or in a product's type elsewhere: nobody else may read
  /// the norm's or the gate's y, nor dgate_up.
  void (*norm_linear)(const Exec&, const RmsNorm&, const Linear&);
  void (*swiglu_linear)(const Exec&, const Swiglu&, const Linear&);
  void (*finish_qkv)(const Exec&, const FinishQkv&);
  /// finish_qkv, attention and the product of its rows, whose qkv and attention nobody else reads, and of which none looks at
  /// what another one stores.
  void (*attend_linear)(const Exec&, const FinishQkv&, const Attention&, const Linear&);
  /// linear_dw and linear_dx of one dY, which a device rounds once.
  void (*linear_backward)(const Exec&, const LinearDx&, const LinearDw&);
  void (*norm_linear_backward)(const Exec&, const NormLinearBackward&);
  void (*mlp_backward)(const Exec&, const MlpBackward&);

  /// out[r] = table[ids[r]]; backward: dtable[ids[r]] += dout[r] in row order.
  void (*embed)(const Exec&, const Weight& table, const std::int64_t* ids, Index M, Index C,
                float* out);
  void (*embed_backward)(const Exec&, const float* dout, const std::int64_t* ids, Index M, Index C,
                         float* dtable);

  /// Stores k and v of the rows; kv_read_grad is its transpose (writes the k and v parts of dqkv).
  void (*kv_write)(const Exec&, const float* qkv, Index H, const KvRows&, const KvStore&);
  void (*kv_read_grad)(const Exec&, float* dqkv, Index H, const KvRows&, const KvStore&);
  void (*kv_copy)(const Exec&, const KvStore&, const KvCopy* copies, Index n);
  void (*kv_fold_grad)(const Exec&, const KvStore&, const KvCopy* copies,
                       Index n);  ///< from += to, in order
  void (*attention)(const Exec&, const Attention&);
  void (*attention_backward)(const Exec&, const AttentionBackward&);

  void (*head_logprob)(const Exec&, const HeadLogprob&);
  void (*head_logprob_backward)(const Exec&, const HeadLogprobBackward&);
  void (*head_sample)(const Exec&, const HeadSample&);

  void (*adamw)(const Exec&, const AdamW&);
  /// Sums of x^2 in double over blocks of kSquaresBlock elements, into the host's memory.
  void (*block_squares)(const Exec&, const float* x, Index n, double* sums);
  /// acc += round(x * 2^44) as int64, order-free; false when a value is not finite or the sum overflows.
  bool (*add_fixed)(const Exec&, std::int64_t* acc, const float* x, Index n);
  void (*from_fixed)(const Exec&, const std::int64_t* acc, float* x, Index n);

  /// to = x [n] rounded to `type`; false when a value is beyond the type's largest.
  bool (*narrow)(const Exec&, const float* x, Index n, FloatType type, void* to);
  /// x = from [n], exactly.
  void (*widen)(const Exec&, const void* from, FloatType type, Index n, float* x);

  /// What a device has beside; null where memory is the host's.
  const DeviceOps* device = nullptr;
};

/// Sum of x^2: the blocks' sums, added in their order.
double sum_squares(const Ops& ops, const Exec& exec, const float* x, Index n);

/// The best table for this machine, or the one that the environment variable AHA_CPU names (avx512,
/// avx2, portable). UserError for another value or an instruction set that this machine lacks.
const Ops& cpu_ops();

/// A table by name; null when this machine cannot run it.
const Ops* cpu_ops(const char* name);

}  // namespace aha
