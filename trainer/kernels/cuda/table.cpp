#include "trainer/kernels/cuda/device.h"

namespace aha::cuda {

namespace {

constexpr DeviceOps kDeviceOps{
    .allocate_pinned = allocate_pinned,
    .release_pinned = release_pinned,
    .download_later = download_later,
    .mark = mark,
    .wait = wait,
    .prepare_recording = prepare_recording,
    .begin_recording = begin_recording,
    .end_recording = end_recording,
    .drop_recording = drop_recording,
    .launch = launch_recording,
    .forget = forget,
    .set_invariant = set_invariant,
    .sum_fixed = sum_fixed,
    .fixed_within = fixed_within,
    .start_slots = start_slots,
    .load_rows = load_rows,
    .sample_slots = sample_slots,
    .state = device_state,
    .moment = moment,
    .seconds_between = seconds_between,
    .forget_moments = forget_moments,
    .network = &kNetwork,
};

}  // namespace

const Ops& table() {
  static constexpr Ops kTable{
      .name = "cuda",
      .memory = &kMemory,
      .zero = zero,
      .copy = copy,
      .pack_linear = nullptr,
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
      .add_stochastic = add_stochastic,
      .narrow = narrow,
      .widen = widen,
      .device = &kDeviceOps,
  };
  return kTable;
}

}  // namespace aha::cuda
