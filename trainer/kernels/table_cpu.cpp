#include "trainer/kernels/isa.h"

#define AHA_STRING_OF(name) #name
#define AHA_STRING(name) AHA_STRING_OF(name)

namespace aha::AHA_ISA {

const Ops& table() {
  static constexpr Ops kTable{
      .name = AHA_STRING(AHA_ISA),
      .memory = &kHostMemory,
      .zero = zero,
      .copy = copy,
      .pack_linear = pack_linear,
      .linear = linear,
      .linear_dx = linear_dx,
      .linear_dw = linear_dw,
      .rms_norm = rms_norm,
      .rms_norm_backward = rms_norm_backward,
      .add_bias = add_bias,
      .add_bias_backward = add_bias_backward,
      .head_norm = head_norm,
      .head_norm_backward = head_norm_backward,
      .rope = rope,
      .swiglu = swiglu,
      .swiglu_backward = swiglu_backward,
      .norm_linear = norm_linear,
      .swiglu_linear = swiglu_linear,
      .finish_qkv = finish_qkv,
      .attend_linear = attend_linear,
      .linear_backward = linear_backward,
      .norm_linear_backward = norm_linear_backward,
      .mlp_backward = mlp_backward,
      .embed = embed,
      .embed_backward = embed_backward,
      .kv_write = kv_write,
      .kv_read_grad = kv_read_grad,
      .kv_copy = kv_copy,
      .kv_fold_grad = kv_fold_grad,
      .attention = attention,
      .attention_backward = attention_backward,
      .head_logprob = head_logprob,
      .head_logprob_backward = head_logprob_backward,
      .head_sample = head_sample,
      .adamw = adamw,
      .block_squares = block_squares,
      .add_fixed = add_fixed,
      .from_fixed = from_fixed,
      .add_stochastic = aha::add_stochastic,
      .narrow = narrow,
      .widen = widen,
  };
  return kTable;
}

}  // namespace aha::AHA_ISA
