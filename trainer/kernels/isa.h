#pragma once
// What the sources of one instruction set call of each other: the entries of the table, and the
// products that the head and attention are made of.
#include "trainer/kernels/simd.h"
#include "trainer/kernels/tile.h"

namespace aha::AHA_ISA {

/// Below this many multiply-adds a loop is not worth waking the team for.
constexpr Index kAlone = 1 << 19;

/// C [M, N] (op)= A [M, K] B, with B packed as panels [ceil(N/16)][K][16].
struct Product {
  const float* a;
  Index lda;
  const float* packed;
  float* c;
  Index ldc;
  Index M, N, K;
  Finish finish;
};
void product(const Exec& exec, const Product& p);
/// B is W^T; `packed` of the product is ignored, `finish` is Write or Add.
void product(const Exec& exec, const Product& p, const Weight& w);

void pack_linear(const Exec& exec, const Weight& w, Index N, Index K, float* packed);
void linear(const Exec& exec, const Linear& p);
void linear_dx(const Exec& exec, const LinearDx& p);
void linear_dw(const Exec& exec, const LinearDw& p);
void rms_norm(const Exec& exec, const RmsNorm& p);
void rms_norm_backward(const Exec& exec, const RmsNormBackward& p);
void add_bias(const Exec& exec, const float* bias, Index M, Index N, float* y);
void add_bias_backward(const Exec& exec, const float* dy, Index M, Index N, float* dbias);
void head_norm(const Exec& exec, const HeadNorm& p);
void head_norm_backward(const Exec& exec, const HeadNormBackward& p);
void rope(const Exec& exec, const Rope& p);
void swiglu(const Exec& exec, const Swiglu& p);
void swiglu_backward(const Exec& exec, const SwigluBackward& p);
void norm_linear(const Exec& exec, const RmsNorm& norm, const Linear& p);
void swiglu_linear(const Exec& exec, const Swiglu& gate, const Linear& p);
void finish_qkv(const Exec& exec, const FinishQkv& p);
void attend_linear(const Exec& exec, const FinishQkv& finish, const Attention& p,
                   const Linear& out);
void linear_backward(const Exec& exec, const LinearDx& dx, const LinearDw& dw);
void norm_linear_backward(const Exec& exec, const NormLinearBackward& p);
void mlp_backward(const Exec& exec, const MlpBackward& p);
void embed(const Exec& exec, const Weight& table, const std::int64_t* ids, Index M, Index C,
           float* out);
void embed_backward(const Exec& exec, const float* dout, const std::int64_t* ids, Index M, Index C,
                    float* dtable);
void kv_write(const Exec& exec, const float* qkv, Index H, const KvRows& rows, const KvStore& kv);
void kv_read_grad(const Exec& exec, float* dqkv, Index H, const KvRows& rows, const KvStore& kv);
void kv_copy(const Exec& exec, const KvStore& kv, const KvCopy* copies, Index n);
void kv_fold_grad(const Exec& exec, const KvStore& kv, const KvCopy* copies, Index n);
void attention(const Exec& exec, const Attention& p);
void attention_backward(const Exec& exec, const AttentionBackward& p);
void head_logprob(const Exec& exec, const HeadLogprob& p);
void head_logprob_backward(const Exec& exec, const HeadLogprobBackward& p);
void head_sample(const Exec& exec, const HeadSample& p);
void adamw(const Exec& exec, const AdamW& p);
void block_squares(const Exec& exec, const float* x, Index n, double* sums);
void zero(const Exec& exec, void* to, Index bytes);
void copy(const Exec& exec, const void* from, Index bytes, void* to);
bool add_fixed(const Exec& exec, std::int64_t* acc, const float* x, Index n);
void from_fixed(const Exec& exec, const std::int64_t* acc, float* x, Index n);
bool narrow(const Exec& exec, const float* x, Index n, FloatType type, void* to);
void widen(const Exec& exec, const void* from, FloatType type, Index n, float* x);

const Ops& table();

}  // namespace aha::AHA_ISA
