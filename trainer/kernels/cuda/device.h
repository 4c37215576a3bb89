#pragma once
// What the operations of this folder stand on: the device's memory, scratch, products, and the entries of
// the table.
#include "trainer/kernels/device_ops.h"

namespace aha::cuda {

extern const Memory kMemory;
extern const DeviceNetwork kNetwork;

/// What a piece of scratch memory on the device is for. Two uses that overlap in time have two names.
enum class Scratch : int { Left, Right, Outer, Logits, Partial, Delta, Flag, Count };

/// At least `bytes` of device memory, kept until the process ends; contents are undefined. A later call for
/// the same use may move it, once everything that was asked before is done.
void* scratch(Scratch use, Index bytes);

template <class T>
T* scratch_of(Scratch use, Index count) {
  return static_cast<T*>(scratch(use, count * static_cast<Index>(sizeof(T))));
}

/// C (+)= op(A) op(B), column-major as BLAS has it: op(A) [m, k], op(B) [k, n], C [m, n]. Sums are f32.
struct Gemm {
  const void* a;
  Index lda;
  bool transpose_a;
  const void* b;
  Index ldb;
  bool transpose_b;
  void* c;
  Index ldc;
  Index m, n, k;
  FloatType type;                     ///< of A and B
  bool add;                           ///< C is added to
  FloatType c_type = FloatType::F32;  ///< or BF16 with A and B of it, not added to
};
void gemm(const Gemm& p);

/// From here on no row's result depends on which rows are with it, nor on what serves: products have a fixed order of
/// their own, and attention's forward pass is one kernel.
void set_invariant(bool on);
bool is_invariant();
/// `gemm`, or what set_invariant asks for.
void product(const Gemm& p);

/// to [M, columns] with padded(columns) between rows = x [M, columns] with `ld`, rounded to `type`.
void narrow_rows(const float* x, Index ld, Index M, Index columns, FloatType type, void* to);

void zero(const Exec&, void* to, Index bytes);
void copy(const Exec&, const void* from, Index bytes, void* to);
void linear(const Exec&, const Linear& p);
void linear_dx(const Exec&, const LinearDx& p);
void linear_dw(const Exec&, const LinearDw& p);
void rms_norm(const Exec&, const RmsNorm& p);
void rms_norm_backward(const Exec&, const RmsNormBackward& p);
void add_bias(const Exec&, const float* bias, Index M, Index N, float* y);
void add_bias_backward(const Exec&, const float* dy, Index M, Index N, float* dbias);
void head_norm(const Exec&, const HeadNorm& p);
void head_norm_backward(const Exec&, const HeadNormBackward& p);
void rope(const Exec&, const Rope& p);
void swiglu(const Exec&, const Swiglu& p);
void swiglu_backward(const Exec&, const SwigluBackward& p);
void norm_linear(const Exec&, const RmsNorm& norm, const Linear& p);
void swiglu_linear(const Exec&, const Swiglu& gate, const Linear& p);
void finish_qkv(const Exec&, const FinishQkv& p);
void attend_linear(const Exec&, const FinishQkv& finish, const Attention& p, const Linear& out);
void linear_backward(const Exec&, const LinearDx& dx, const LinearDw& dw);
void norm_linear_backward(const Exec&, const NormLinearBackward& p);
void mlp_backward(const Exec&, const MlpBackward& p);
void embed(const Exec&, const Weight& table, const std::int64_t* ids, Index M, Index C, float* out);
void embed_backward(const Exec&, const float* dout, const std::int64_t* ids, Index M, Index C,
                    float* dtable);
void kv_write(const Exec&, const float* qkv, Index H, const KvRows& rows, const KvStore& kv);
void kv_read_grad(const Exec&, float* dqkv, Index H, const KvRows& rows, const KvStore& kv);
void kv_copy(const Exec&, const KvStore& kv, const KvCopy* copies, Index n);
void kv_fold_grad(const Exec&, const KvStore& kv, const KvCopy* copies, Index n);
void attention(const Exec&, const Attention& p);
void attention_backward(const Exec&, const AttentionBackward& p);
void head_logprob(const Exec&, const HeadLogprob& p);
void head_logprob_backward(const Exec&, const HeadLogprobBackward& p);
void head_sample(const Exec&, const HeadSample& p);
void adamw(const Exec&, const AdamW& p);
void block_squares(const Exec&, const float* x, Index n, double* sums);
bool add_fixed(const Exec&, std::int64_t* acc, const float* x, Index n);
void add_stochastic(const Exec&, const StochasticSum& p);
void from_fixed(const Exec&, const std::int64_t* acc, float* x, Index n);
bool sum_fixed(const std::int64_t* from, Index n, std::int64_t* to);
bool fixed_within(const std::int64_t* x, Index n, std::int64_t limit);
bool narrow(const Exec&, const float* x, Index n, FloatType type, void* to);
void widen(const Exec&, const void* from, FloatType type, Index n, float* x);

void* allocate_pinned(std::int64_t bytes);
void release_pinned(void* memory);
void download_later(const void* from, std::int64_t bytes, void* to);
std::int64_t mark();
void wait(std::int64_t mark);
void prepare_recording();
void begin_recording();
Recording* end_recording();
void drop_recording();
void launch_recording(const Recording* recording);
void forget(Recording* recording);
void start_slots(const StartSlots& p);
void load_rows(const LoadRows& p);
void sample_slots(const SampleSlots& p);
DeviceState device_state();
std::int64_t moment();
double seconds_between(std::int64_t begin, std::int64_t end);
void forget_moments();

const Ops& table();

}  // namespace aha::cuda
