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
#include "trainer/core/parallel.h"
#include "trainer/kernels/attention_tasks.h"
#include "trainer/kernels/memory.h"
#include "trainer/kernels/stochastic.h"

namespace aha {

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

  /// Adds to sums of bf16 that are rounded stochastically.
  void (*add_stochastic)(const Exec&, const StochasticSum&);

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
